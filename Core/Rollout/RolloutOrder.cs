using Agent.Core.Model;

namespace Agent.Core.Rollout;

/// <summary>
/// What a verified manifest asks of this host. <paramref name="Version"/> rises with each manifest of a channel; one
/// that is not above every version seen before is an old manifest played again.
/// </summary>
public sealed record RolloutOrder(
    RolloutId Id, long Version, ActivatorKind Activator, ReleaseId Target, RolloutPolicy Policy, Seq<ProbeSpec> Probes)
{
    /// <summary>Each costs a watch and a row in every answer.</summary>
    public const int MaxProbes = 64;

    public ChannelName Channel => Id.Channel;

    /// <summary>
    /// Why no host may follow it, if so: it cannot be switched to in that way, or nothing would gate it and nobody said
    /// that this is meant.
    /// </summary>
    public Option<string> Fault =>
        !Suits(Activator, Target) ? $"{Target} is nothing for the activator {Activator}"
        : Probes.Count > MaxProbes ? $"{Probes.Count} probes are more than {MaxProbes}"
        : !Policy.Unattended && Policy.Soak == TimeSpan.Zero && !Probes.Exists(probe => probe.Gates)
            ? "it has neither a soak nor an enforced probe and does not say that it is unattended"
        : Option<string>.None;

    /// <summary>An archive is for the activator of releases, a store path for that of NixOS.</summary>
    public static bool Suits(ActivatorKind activator, ReleaseId target) =>
        (activator == ActivatorKind.Release)
        == target.Value.StartsWith(ReleaseId.ArchivePrefix, StringComparison.Ordinal);
}

public enum ActivatorKind
{
    /// <summary>A NixOS system: profile, bootloader and units are its own business.</summary>
    Nixos,

    /// <summary>An archive unpacked beside the old one, a link that names the current one, and a hook.</summary>
    Release,
}

/// <summary>
/// How a rollout is judged. <paramref name="FailureThreshold"/>: so long must an enforced probe fail without a pass.
/// <paramref name="VerdictWithin"/>: so long after the soak may the probes leave it open, then <paramref
/// name="OnInconclusive"/> applies. <paramref name="SwitchTimeout"/> bounds one switch.
/// </summary>
public sealed record RolloutPolicy(
    TimeSpan Soak,
    TimeSpan FailureThreshold,
    OnFailure OnFailure,
    OnFailure OnInconclusive,
    TimeSpan VerdictWithin,
    TimeSpan SwitchTimeout,
    bool Unattended)
{
    public static TimeSpan DefaultFailureThreshold => TimeSpan.FromSeconds(120);

    public static TimeSpan DefaultVerdictWithin => TimeSpan.FromMinutes(10);

    /// <summary>A switch of a whole system restarts its units one after the other.</summary>
    public static TimeSpan DefaultSwitchTimeout => TimeSpan.FromMinutes(5);

    /// <summary>No wait of a rollout is longer, so that none is mistaken for one that never ends.</summary>
    public static TimeSpan Longest => TimeSpan.FromDays(7);
}

public enum OnFailure
{
    /// <summary>The host switches back by itself, in the step that saw the failure.</summary>
    RollbackAndHalt,

    /// <summary>The host stays as it is and waits for its operator.</summary>
    Halt,
}
