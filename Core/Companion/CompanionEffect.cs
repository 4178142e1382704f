using Agent.Core.Model;

namespace Agent.Core.Companion;

/// <summary>
/// What the shell must do. Each call is answered by exactly one event with its number, within a limit of the shell's. Done
/// again after a crash, none does harm: the next look tells what it did.
/// </summary>
public abstract record CompanionEffect
{
    private CompanionEffect() { }

    /// <summary>Tell of each of these: its file, and what systemd says of it.</summary>
    public sealed record Look(int Pass, Seq<CompanionName> Names) : CompanionEffect;

    /// <summary>Put the declared bytes with this digest in the place of its file, unless that file is not ours.</summary>
    public sealed record Write(CompanionName Name, int Call, string Digest) : CompanionEffect;

    /// <summary>Have systemd read all unit files anew.</summary>
    public sealed record Reload(int Number) : CompanionEffect;

    /// <summary>Have systemd begin its start; the looks that follow tell what became of it.</summary>
    public sealed record Start(CompanionName Name, int Call) : CompanionEffect;

    public sealed record Restart(CompanionName Name, int Call) : CompanionEffect;

    public sealed record Stop(CompanionName Name, int Call) : CompanionEffect;

    /// <summary>
    /// Disable it, so that nothing brings it back, then delete its file if that is ours. <paramref name="Failed"/>: systemd
    /// remembers a failure of it, and is to forget that too.
    /// </summary>
    public sealed record Remove(CompanionName Name, int Call, bool Failed) : CompanionEffect;

    /// <summary>The event changed nothing, and why.</summary>
    public sealed record Reject(ErrorCode Code, string Reason) : CompanionEffect;
}
