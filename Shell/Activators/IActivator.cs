using System;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;

namespace Agent.Shell.Activators;

/// <summary>
/// Switches this host from release to release. The agent may die at any moment of a call, of the switch itself too;
/// the call is then made again by its successor, so each does what is left to do and no more.
/// </summary>
internal interface IActivator
{
    /// <summary>How it switches, for the record.</summary>
    string Method { get; }

    /// <summary>What runs, read from the host; null where nothing of that channel does.</summary>
    Task<ReleaseId?> RunningAsync(ChannelName channel, CancellationToken stop);

    /// <summary>
    /// Everything that must hold before the host is touched: what it goes to is here and whole, what it came from is
    /// too, and there is room. Throws <see cref="ActivationException"/>.
    /// </summary>
    Task PrepareAsync(SwitchRequest request, CancellationToken stop);

    /// <summary>Makes the release the running one. Throws <see cref="ActivationException"/>.</summary>
    Task<SwitchResult> SwitchAsync(SwitchRequest request, CancellationToken stop);

    /// <summary>
    /// The switch is given up: ends what of it runs where the agent's own processes do not, and returns when that is over.
    /// </summary>
    Task EndAsync(SwitchRequest request, CancellationToken stop);
}

/// <summary>
/// One switch. <paramref name="Activation"/> is its number within the rollout: rollout and number together name it,
/// and what they name is done once. <paramref name="From"/> is the way back, if there is one.
/// </summary>
internal sealed record SwitchRequest(
    RolloutId Rollout, int Activation, ReleaseId To, ReleaseId? From, TimeSpan Timeout, bool IsRollback);

/// <summary>How a switch ended that did not fail.</summary>
internal abstract record SwitchResult
{
    private SwitchResult()
    {
    }

    public sealed record Done : SwitchResult;

    /// <summary>Staged for the next boot: <paramref name="Component"/> cannot be exchanged in a running system.</summary>
    public sealed record Deferred(string Component) : SwitchResult;
}

/// <summary>
/// A switch that cannot be done or was not. The code is stable, in kebab-case; the message is for people and names
/// what to do, if anything can be done.
/// </summary>
internal sealed class ActivationException : Exception
{
    public ActivationException()
        : this("failed", "")
    {
    }

    public ActivationException(string message)
        : this("failed", message)
    {
    }

    public ActivationException(string message, Exception innerException)
        : base(message, innerException) => Code = "failed";

    public ActivationException(string code, string detail)
        : base(detail) => Code = code;

    public string Code { get; }
}
