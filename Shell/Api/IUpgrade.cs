using System;
using System.Threading;
using System.Threading.Tasks;

namespace Agent.Shell.Api;

/// <summary>The agent's own program, as far as the local API speaks of it.</summary>
internal interface IUpgrade
{
    string Program { get; }

    /// <summary>Null while it is not known.</summary>
    string? KeeperProgram { get; }

    /// <summary>Why the last upgrade was taken back; null if it was not.</summary>
    string? Failure { get; }

    /// <summary>
    /// Looks whether the program can run here. If so it is what <see cref="Begin"/> goes on as.
    /// </summary>
    /// <param name="program">Null: the one at the path that this agent was started from.</param>
    /// <param name="patience">How long it may take until it answers.</param>
    /// <param name="stop">Ends the look, not what follows it.</param>
    Task<(UpgradeAnswer? Answer, UpgradeRefusal? Refusal)> PrepareAsync(string? program, TimeSpan patience, CancellationToken stop);

    /// <summary>Ends the agent, which goes on as the program that was prepared. For when its answer has been given.</summary>
    void Begin();
}

internal sealed record UpgradeRefusal(bool IsBusy, string Why);
