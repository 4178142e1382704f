using Agent.Core.Model;
using Agent.Core.Time;

namespace Agent.Core.Rollout;

/// <summary>Where one rollout stands on one host.</summary>
public abstract record RolloutState
{
    private RolloutState(RolloutProfile profile) => Profile = profile;

    public RolloutProfile Profile { get; init; }

    /// <summary>Accepted; it waits for its turn.</summary>
    public sealed record Pending(RolloutProfile Profile) : RolloutState(Profile);

    /// <summary>The switch was fired. It has begun once <paramref name="Begun"/>: until then nothing was changed.</summary>
    public sealed record Activating(RolloutProfile Profile, Switch Switch, bool Begun) : RolloutState(Profile);

    /// <summary>Everything is in place but what needs a reboot; <paramref name="Boot"/> is the one to be left.</summary>
    public sealed record Deferred(RolloutProfile Profile, Switch Switch, string Component, BootId Boot)
        : RolloutState(Profile);

    /// <summary>
    /// The target runs and is watched. <paramref name="Soaked"/> is set when <paramref name="SoakUntil"/> came and it
    /// could not converge. <paramref name="Seen"/>: this agent, and not only one before it, saw the target running.
    /// </summary>
    public sealed record Soaking(
        RolloutProfile Profile, Switch Switch, Instant Since, Instant SoakUntil, Instant VerdictBy, bool Soaked,
        bool Seen, Seq<ProbeRecord> Probes)
        : RolloutState(Profile);

    /// <summary>The target ran through its soak with every enforced probe passing.</summary>
    public sealed record Converged(RolloutProfile Profile, Switch Switch, Instant At) : RolloutState(Profile);

    /// <summary>It went wrong, and <paramref name="Recovery"/> says what becomes of the host.</summary>
    public sealed record Failed(
        RolloutProfile Profile, Switch Switch, Instant At, FailureCause Cause, Recovery Recovery)
        : RolloutState(Profile);

    /// <summary>The host runs what it ran before, which was verified, not assumed.</summary>
    public sealed record Reverted(RolloutProfile Profile, Switch Switch, Instant At, FailureCause Cause, ReleaseId To)
        : RolloutState(Profile);

    /// <summary>A newer rollout of its channel took its place.</summary>
    public sealed record Superseded(RolloutProfile Profile, Instant At, RolloutId By) : RolloutState(Profile);

    /// <summary>It is decided for good.</summary>
    public bool IsTerminal => this is Converged or Reverted or Superseded;

    /// <summary>A switch, forward or back, was ordered and is not over.</summary>
    public bool IsSwitching => this is Activating or Failed { Recovery: Recovery.RollingBack };
}

/// <summary>
/// What stays with a rollout through all its states. <paramref name="Seq"/> numbers its events: each that changed it
/// has a higher one than those before.
/// </summary>
public sealed record RolloutProfile(RolloutOrder Order, Instant ReceivedAt, long Seq);

/// <summary>
/// The newest switch, forward or back: they are counted from 1, and what is told about another than the newest is
/// refused. <paramref name="Previous"/> is the release other than the target that ran before it, if one did.
/// </summary>
public sealed record Switch(int Activation, Option<ReleaseId> Previous)
{
    public static Switch None { get; } = new(0, Option<ReleaseId>.None);

    // No property: a record prints those, and this one would have no end.
    public Switch Next() => this with { Activation = Activation + 1 };
}

/// <summary>Why a rollout failed.</summary>
public abstract record FailureCause
{
    private FailureCause() { }

    /// <summary>The switch itself failed; <paramref name="Code"/> is stable, <paramref name="Detail"/> is for people.</summary>
    public sealed record SwitchFailed(string Code, string Detail) : FailureCause;

    /// <summary>The switch was reported as done, and something else runs.</summary>
    public sealed record WrongRelease(Option<ReleaseId> Running) : FailureCause;

    /// <summary>These enforced probes failed without a pass for <paramref name="Lasted"/>, at least one of them.</summary>
    public sealed record ProbesFailed(Seq<ProbeName> Probes, TimeSpan Lasted) : FailureCause;

    /// <summary>
    /// The time for a verdict is over and these enforced probes have not passed; with none of them, what runs was not
    /// seen since the agent's start.
    /// </summary>
    public sealed record NoVerdict(Seq<ProbeName> Probes) : FailureCause;

    /// <summary>Somebody else switched the host while it was soaking.</summary>
    public sealed record Drifted(Option<ReleaseId> Running) : FailureCause;

    /// <summary>An operator ended it.</summary>
    public sealed record Stopped(OnFailure Then) : FailureCause;
}

/// <summary>What becomes of the host after a failure.</summary>
public abstract record Recovery
{
    private Recovery() { }

    /// <summary>Nothing by itself: an operator or a newer rollout decides.</summary>
    public sealed record Held(HeldBecause Because) : Recovery;

    /// <summary>The switch back is under way, for the <paramref name="Attempt"/>th time.</summary>
    public sealed record RollingBack(int Attempt) : Recovery;

    /// <summary>The switch back failed too and is tried again. Until it succeeds nobody may call this reverted.</summary>
    public sealed record RollbackDue(Instant RetryAt, int Attempt, string Code, string Detail) : Recovery;
}

public enum HeldBecause
{
    /// <summary>The manifest says so.</summary>
    Policy,

    /// <summary>An operator says so.</summary>
    Operator,

    /// <summary>Somebody switched the host himself; the agent does not fight him.</summary>
    Drift,

    /// <summary>No other release ran before this one.</summary>
    NoWayBack,

    /// <summary>It failed before the switch began: the host runs what it ran.</summary>
    NothingSwitched,

    /// <summary>The way back failed, and an operator ended its retries.</summary>
    RollbackHalted,
}
