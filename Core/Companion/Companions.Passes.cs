using Agent.Core.Model;
using Agent.Core.Time;

namespace Agent.Core.Companion;

/// <summary>How passes come about, and what events do to several companions at once.</summary>
public sealed partial record Companions
{
    /// <summary>A pass, or one more after the one that is under way.</summary>
    private CompanionsStep Look(Instant now) => Passing is LookState.Looking looking
        ? new(looking.Again ? this : this with { Passing = looking with { Again = true } }, Seq<CompanionEffect>())
        : LookAfresh(now);

    private CompanionsStep LookAfresh(Instant now) => All.IsEmpty
        ? new(this with { Passing = new LookState.Off() }, Seq<CompanionEffect>())
        : new(
            this with { Pass = Pass + 1, Passing = new LookState.Looking(now, Again: false) },
            Seq1<CompanionEffect>(new CompanionEffect.Look(Pass + 1, All.Keys.ToSeq().Strict())));

    /// <summary>The first pass comes at once: what lives is found active and left alone.</summary>
    private CompanionsStep Recover(Instant now)
    {
        if (Passing is LookState.Off) return Nothing;
        var recovered = ForEach(new CompanionEvent.Recovered(), now) with { Reload = new ReloadState.Quiet() };
        return recovered.LookAfresh(now);
    }

    private CompanionsStep Declare(Seq<CompanionSpec> specs, Instant now)
    {
        var next = this;
        foreach (var state in All.Values)
        {
            if (specs.Exists(spec => spec.Name == state.Profile.Name)) continue;
            next = next.Told(state, new(now, new CompanionEvent.Withdrawn()));
        }

        foreach (var spec in specs)
        {
            var known = next.Find(spec.Name);
            if (known.IsNone && next.All.Count >= MaxCompanions) break;
            next = next.Told(
                known.IfNone(() => CompanionMachine.Create(spec.Name)), new(now, new CompanionEvent.Declared(spec)));
        }

        return ReferenceEquals(next, this) ? Nothing : next.Look(now);
    }

    private CompanionsStep Tell(CompanionName name, Timed<CompanionEvent> input)
    {
        if (!All.Find(name).TryGet(out var state)) return Refuse(ErrorCode.NoSuchCompanion, $"no companion {name}");
        var step = CompanionMachine.Step(state, input, Pass);
        if (ReferenceEquals(step.State, state)) return new(this, step.Effects);
        var next = With(step.State);

        // What a failed call did is for the next look to say.
        return input.Event is CompanionEvent.CallFailed or CompanionEvent.RetryRequested
            ? next.Calmed().Look(input.At)
            : new(next, step.Effects);
    }

    private CompanionsStep Take(LookState.Looking looking, Seq<ObservedCompanion> found, Instant now)
    {
        var next = this;
        foreach (var one in found)
        {
            if (!next.Find(one.Name).TryGet(out var state)) continue;
            next = next.Told(state, new(now, new CompanionEvent.Observed(Pass, one)));
        }

        return next.EndPass(looking, now);
    }

    private CompanionsStep EndPass(LookState.Looking looking, Instant now)
    {
        var ended = this with { Last = new LookOutcome(Pass, now, None) };
        return looking.Again
            ? ended.LookAfresh(now)
            : new(ended with { Passing = new LookState.Resting(now + PassEvery) }, Seq<CompanionEffect>());
    }

    private CompanionsStep FailLook(string reason, Instant now) => new(
        this with { Last = new LookOutcome(Pass, now, reason), Passing = new LookState.Resting(now + PassEvery) },
        Seq<CompanionEffect>());

    private CompanionsStep EndReload(Instant now) => new(
        ForEach(new CompanionEvent.Reloaded(), now) with { Reload = new ReloadState.Quiet() }, Seq<CompanionEffect>());

    private CompanionsStep Wake(Instant now)
    {
        var next = ForEach(new CompanionEvent.DeadlineReached(), now);
        if (next.Reload is ReloadState.Failed(_, var retry) && retry <= now) next = next.Calmed();
        return next.Passing switch
        {
            LookState.Resting(var due) when due <= now => next.LookAfresh(now),
            LookState.Looking(var since, _) when since + LongestLook <= now =>
                next.FailLook($"no answer within {LongestLook.TotalSeconds:0} s", now),
            LookState.Off or LookState.Resting or LookState.Looking => next.Nothing,
        };
    }

    /// <summary>While something starts or stops the next look comes soon; one that takes too long is not worth that.</summary>
    private Companions Sooner(Instant now) =>
        Passing is LookState.Resting(var next) && next > now + PassWhileMoving && All.Values.Exists(state =>
            state.Profile.MovingSince.IsSome && !state.Profile.IsLate(now)
            && !state.Profile.Seen.Exists(seen => seen.Activity is UnitActivity.Activating(Again: true)))
            ? this with { Passing = new LookState.Resting(now + PassWhileMoving) }
            : this;

    /// <summary>A reload that failed is tried again at once.</summary>
    private Companions Calmed() => Reload is ReloadState.Failed ? this with { Reload = new ReloadState.Quiet() } : this;

    /// <summary>The machine's answer to a fact. Nobody asked, so nobody is told of a refusal.</summary>
    private Companions Told(CompanionState state, Timed<CompanionEvent> input)
    {
        var next = CompanionMachine.Step(state, input, Pass).State;
        return ReferenceEquals(next, state) && All.ContainsKey(state.Profile.Name) ? this : With(next);
    }

    private Companions ForEach(CompanionEvent @event, Instant now)
    {
        var next = this;
        foreach (var state in All.Values) next = next.Told(state, new(now, @event));
        return next;
    }

    /// <summary>What nothing declares and is gone, or was never ours, is forgotten.</summary>
    private Companions Pruned()
    {
        var all = All;
        foreach (var state in All.Values)
        {
            var profile = state.Profile;
            if (state is not CompanionState.Idle || profile.Spec.IsSome || profile.OwesReload) continue;
            if (CompanionPlan.Decide(profile, new Instant(0)) is CompanionDecision.Settled) all = all.Remove(profile.Name);
        }

        return all.Count == All.Count ? this : this with { All = all };
    }
}
