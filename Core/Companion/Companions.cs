using Agent.Core.Model;
using Agent.Core.Time;
using Event = Agent.Core.Companion.CompanionsEvent;

namespace Agent.Core.Companion;

/// <summary>
/// All companions of this host: those that are declared, and those of ours that are on their way out. It runs the passes,
/// begins what <see cref="CompanionPlan"/> finds is next, holds back what starts after another, and has systemd read all
/// changed files at once; what happens to one is the machine's matter.
/// </summary>
public sealed partial record Companions(
    Map<OrdCompanionName, CompanionName, CompanionState> All,
    LookState Passing,
    int Pass,
    Option<LookOutcome> Last,
    ReloadState Reload,
    int Reloads)
{
    /// <summary>Bounds every look, batch and snapshot; they are companions of a host, not its whole.</summary>
    public const int MaxCompanions = 128;

    public static Companions Empty { get; } = new(
        Map<OrdCompanionName, CompanionName, CompanionState>(), new LookState.Off(), 0, None, new ReloadState.Quiet(), 0);

    /// <summary>What nobody told the agent of is found within this.</summary>
    public static TimeSpan PassEvery => TimeSpan.FromSeconds(30);

    /// <summary>What a start or a stop came to is known within this, and what waits for it goes on.</summary>
    public static TimeSpan PassWhileMoving => TimeSpan.FromSeconds(1);

    /// <summary>Longer than the shell allows a look to take: whoever breaks that promise ends no passes.</summary>
    public static TimeSpan LongestLook => TimeSpan.FromMinutes(2);

    public Option<Instant> Deadline
    {
        get
        {
            var earliest = Passing switch
            {
                LookState.Off => Option<Instant>.None,
                LookState.Resting(var next) => next,
                LookState.Looking(var since, _) => since + LongestLook,
            };
            if (Reload is ReloadState.Failed(_, var retry)) earliest = Instant.Earlier(earliest, retry);
            foreach (var state in All.Values) earliest = Instant.Earlier(earliest, state.Profile.RetryAt);
            return earliest;
        }
    }

    public Option<CompanionState> Find(CompanionName name) => All.Find(name);

    /// <summary>Whether this look would change nothing: each companion is idle and believed to be just as it says.</summary>
    public bool Agrees(Seq<ObservedCompanion> found)
    {
        if (found.Count != All.Count || !All.Values.ForAll(state => state is CompanionState.Idle)) return false;
        foreach (var one in found)
        {
            if (!All.Find(one.Name).TryGet(out var state)) return false;
            if (!state.Profile.Seen.TryGet(out var believed) || believed != one) return false;
        }

        return true;
    }

    public CompanionsStep Step(Timed<Event> input)
    {
        var step = input.Event switch
        {
            Event.Declared(var specs) => Declare(specs, input.At),
            Event.One(var name, var @event) => Tell(name, new(input.At, @event)),
            Event.ReconcileRequested => Passing is LookState.Off ? Nothing : Calmed().Look(input.At),
            Event.Looked(var pass, var found) => pass == Pass && Passing is LookState.Looking looking
                ? Take(looking, found, input.At)
                : Refuse(ErrorCode.Stale, "the look belongs to a pass that is over"),
            Event.LookConfirmed(var pass) => pass == Pass && Passing is LookState.Looking looking
                ? EndPass(looking, input.At)
                : Refuse(ErrorCode.Stale, "the look belongs to a pass that is over"),
            Event.LookFailed(var pass, var reason) => pass == Pass && Passing is LookState.Looking
                ? FailLook(reason, input.At)
                : Refuse(ErrorCode.Stale, "the look belongs to a pass that is over"),
            Event.ReloadCompleted(var number) => number == Reloads && Reload is ReloadState.UnderWay
                ? EndReload(input.At)
                : Refuse(ErrorCode.Stale, "the answer belongs to a reload that is over"),
            Event.ReloadFailed(var number, var reason) => number == Reloads && Reload is ReloadState.UnderWay
                ? new(this with { Reload = new ReloadState.Failed(reason, input.At + PassEvery) }, Seq<CompanionEffect>())
                : Refuse(ErrorCode.Stale, "the answer belongs to a reload that is over"),
            Event.Recovered => Recover(input.At),
            Event.DeadlineReached => Wake(input.At),
        };
        return ReferenceEquals(step.Companions, this) ? step : step.Companions.Advance(step.Effects, input.At);
    }

    /// <summary>What the table and the others lead to for a companion; of a call under way, that call.</summary>
    public CompanionDecision Judge(CompanionState state, Instant now)
    {
        if (ActionOf(state).TryGet(out var underWay)) return new CompanionDecision.Acts(underWay);
        var decision = CompanionPlan.Decide(state.Profile, now);
        if (decision is CompanionDecision.Waits(var reading, { IsNone: true })
            && state.Profile.OwesReload && Reload is ReloadState.Failed(var why, var again))
        {
            return new CompanionDecision.Waits($"{reading}: {why}", again);
        }

        if (decision is not CompanionDecision.Acts(var action)) return decision;
        var obstacle = action == CompanionAction.Start ? Unmet(state.Profile, now)
            : action is CompanionAction.Write or CompanionAction.Remove && Reload is ReloadState.UnderWay
                ? "systemd, which is reading unit files"
            : Option<string>.None;
        return obstacle.TryGet(out var what) ? new CompanionDecision.Waits(what, None) : decision;
    }

    public static Option<CompanionAction> ActionOf(CompanionState state) => state switch
    {
        CompanionState.Idle => None,
        CompanionState.Writing => CompanionAction.Write,
        CompanionState.Starting(_, _, var again) => again ? CompanionAction.Restart : CompanionAction.Start,
        CompanionState.Stopping => CompanionAction.Stop,
        CompanionState.Removing => CompanionAction.Remove,
    };

    /// <summary>Whatever is next for each companion that waits for no answer is begun.</summary>
    private CompanionsStep Advance(Seq<CompanionEffect> effects, Instant now)
    {
        var next = Pruned();
        foreach (var state in next.All.Values)
        {
            if (state is not CompanionState.Idle idle) continue;
            var decision = next.Judge(idle, now);
            if (decision is CompanionDecision.Acts(var action))
            {
                var begun = CompanionMachine.Begin(idle, action, now);
                next = next.With(begun.State);
                effects = effects.Join(begun.Effects);
            }
            else if (decision is CompanionDecision.Waits(_, { IsSome: true } until) && idle.Profile.RetryAt.IsNone)
            {
                next = next.With(idle with { Profile = idle.Profile with { RetryAt = until } });
            }
        }

        next = next.Sooner(now);
        return next.IsToReload
            ? new(
                next with { Reload = new ReloadState.UnderWay(), Reloads = next.Reloads + 1 },
                effects.Add(new CompanionEffect.Reload(next.Reloads + 1)))
            : new(next, effects);
    }

    /// <summary>Once for all that a pass writes and removes: when the last of it is done.</summary>
    private bool IsToReload => Reload is ReloadState.Quiet && Passing is not LookState.Looking
        && All.Values.Exists(state => state is CompanionState.Idle && state.Profile.OwesReload)
        && !All.Values.Exists(state => state is CompanionState.Writing or CompanionState.Removing);

    /// <summary>The first companion that must be active before this one may start.</summary>
    private Option<string> Unmet(CompanionProfile profile, Instant now)
    {
        foreach (var on in profile.Spec.Map(spec => spec.After).IfNone(Seq<CompanionName>()))
        {
            if (!All.Find(on).TryGet(out var other) || other.Profile.Spec.IsNone) return $"{on}, which nothing declares";
            if (other.Profile.IsActive && other is CompanionState.Idle or CompanionState.Writing) continue;
            return other.Profile.IsLate(now)
                ? $"{on}, which has been starting for {CompanionProfile.LongestStart.TotalSeconds:0} s"
                : $"{on} to be active";
        }

        return None;
    }

    private CompanionsStep Nothing => new(this, Seq<CompanionEffect>());

    private Companions With(CompanionState state) => this with { All = All.AddOrUpdate(state.Profile.Name, state) };

    private CompanionsStep Refuse(ErrorCode code, string reason) =>
        new(this, Seq1<CompanionEffect>(new CompanionEffect.Reject(code, reason)));
}

/// <summary>The companions and the effects that led to them.</summary>
public readonly record struct CompanionsStep(Companions Companions, Seq<CompanionEffect> Effects);
