using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Time;

namespace Agent.Core.Companion;

/// <summary>
/// What is known and wanted of one companion.
/// <list type="bullet">
/// <item><paramref name="Spec"/>: none once nothing declares it; then it is stopped and its file removed.</item>
/// <item><paramref name="Seen"/>: the last look that concerns it and the outcome of calls since; none until there is one.</item>
/// <item><paramref name="Calls"/>: the number of its last call. An answer names the call it belongs to.</item>
/// <item><paramref name="FromPass"/>: a look of an earlier pass may be older than its last call, and says nothing.</item>
/// <item><paramref name="Wrote"/>: the digest of the bytes of ours that its file had last.</item>
/// <item><paramref name="OwesReload"/>: its file may have changed since systemd read it. Set when the change begins, so that
/// a crash in the midst of it forgets nothing.</item>
/// <item><paramref name="OwesRestart"/>: likewise, what runs may be of other bytes than its file.</item>
/// <item><paramref name="MovingSince"/>: set while it starts or stops.</item>
/// <item><paramref name="SettledSince"/>: set while it is as it is declared.</item>
/// </list>
/// </summary>
public sealed record CompanionProfile(
    CompanionName Name,
    Option<CompanionSpec> Spec,
    Option<ObservedCompanion> Seen,
    int Calls,
    int FromPass,
    Option<string> Wrote,
    bool OwesReload,
    bool OwesRestart,
    Option<Instant> MovingSince,
    Option<Instant> SettledSince,
    CompanionHistory History,
    Option<Instant> RetryAt)
{
    /// <summary>
    /// A health check that gates a start may take three times 30 s and more; a start that takes this long is told.
    /// systemd alone decides when to give it up.
    /// </summary>
    public static TimeSpan LongestStart => TimeSpan.FromSeconds(600);

    public static CompanionProfile New(CompanionName name) => new(
        name, None, None, Calls: 0, FromPass: 0, None, OwesReload: false, OwesRestart: false, None, None,
        CompanionHistory.Empty, None);

    public bool IsActive => Seen.Exists(seen => seen.Activity is UnitActivity.Active);

    public bool IsLate(Instant now) => MovingSince.TryGet(out var since) && now - since >= LongestStart;

    /// <summary>What was held against it is forgotten.</summary>
    public CompanionProfile Afresh() => this with { History = History.Afresh(), RetryAt = None };
}

/// <summary>
/// What was done and what went wrong. <paramref name="Losses"/> are the instants at which it was found other than it had
/// been left, as far as they still count.
/// </summary>
public sealed record CompanionHistory(
    RestartTally Tally, Seq<Instant> Losses, Option<CompanionDeed> LastDeed, Option<CompanionFailure> LastFailure)
{
    /// <summary>What must be repaired more often than this has another owner, or is not repaired by it.</summary>
    public const int CircuitRepairs = 5;

    public static CompanionHistory Empty { get; } = new(RestartTally.None, Seq<Instant>(), None, None);

    public static TimeSpan CircuitWindow => TimeSpan.FromMinutes(30);

    /// <summary>When the circuit closes by itself, if it is open.</summary>
    public Option<Instant> CircuitUntil(Instant now)
    {
        var counting = Counting(now);
        return counting.Count <= CircuitRepairs ? None : counting[counting.Count - 1 - CircuitRepairs] + CircuitWindow;
    }

    public CompanionHistory WithLoss(Instant now, TimeSpan held, string reason)
    {
        var losses = Counting(now).Add(now);
        return this with
        {
            Tally = Tally.WithExit(now, held),
            Losses = losses.Skip(Math.Max(0, losses.Count - 1 - CircuitRepairs)).Strict(),
            LastFailure = new CompanionFailure(now, reason),
        };
    }

    public CompanionHistory WithFailure(Instant now, string reason) => this with
    {
        Tally = Tally.WithExit(now, TimeSpan.Zero),
        LastFailure = new CompanionFailure(now, reason),
    };

    public CompanionHistory Afresh() => this with { Tally = RestartTally.None, Losses = Seq<Instant>() };

    private Seq<Instant> Counting(Instant now) => Losses.Filter(at => now - at < CircuitWindow).Strict();
}

public sealed record CompanionDeed(CompanionAction Action, Instant At);

/// <summary>What went wrong, in the words of whoever told it.</summary>
public sealed record CompanionFailure(Instant At, string Reason);
