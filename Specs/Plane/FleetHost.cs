using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Core.Rollout;
using Agent.Core.Time;
using LanguageExt;
using static LanguageExt.Prelude;

namespace Agent.Specs.Plane;

/// <summary>
/// A host with the agent's own registry. Everything that it reports is kept as it would tell it; how it comes to the plane
/// is the world's matter.
/// </summary>
internal sealed class FleetHost(string name)
{
    private readonly List<Telling.Happened> _log = [];

    public HostName Name { get; } = Tools.Ids.Host(name);

    public Rollouts Rollouts { get; private set; } = Rollouts.Empty;

    /// <summary>It takes what the plane offers: first it tells of the rollout as a whole.</summary>
    public Seq<Telling> Accept(RolloutOrder order, Instant now)
    {
        var step = Rollouts.Accept(order, now);
        if (step.Effects.Find(effect => effect is RolloutEffect.Reject).TryGet(out var reject))
        {
            var (code, reason) = (RolloutEffect.Reject)reject;
            return Seq1<Telling>(new Telling.Refused(order.Id, code.ToString(), reason));
        }

        Rollouts = step.Rollouts;
        var others = Note(step.Effects, now).Filter(told => told.Id != order.Id);
        return Whole(order.Id).Concat(others.Map(told => (Telling)told)).Strict();
    }

    public Seq<Telling> Report(RolloutId id, RolloutEvent @event, Instant now) =>
        Take(Rollouts.Report(id, new(now, @event)), now);

    public Seq<Telling> Wake(Instant now) => Take(Rollouts.Wake(now), now);

    public Seq<Telling> Whole(RolloutId id) =>
        Rollouts.Find(id).Map(state => (Telling)new Telling.Stands(state)).ToSeq();

    /// <summary>What it was told to tell again: event by event if it has them all, else as a whole.</summary>
    public Seq<Telling> Again(Verdict.Replay replay, bool whole)
    {
        var events = _log.Where(told => told.Id == replay.Id && told.Seq >= replay.From).ToArray();
        return whole || replay.From == 0 ? Whole(replay.Id) : events.ToSeq().Map(told => (Telling)told).Strict();
    }

    public PlaneEvent.Heartbeat Heartbeat(Instant now) => new(Name, new HostReport(
        now, Tools.Specimens.Boot, "1.0.0", Seq<RunningRelease>(),
        Rollouts.All.Values.ToArray().ToSeq()
            .Map(state => new RolloutMark(state.Profile.Order.Id, state.Profile.Seq)).Strict()));

    private Seq<Telling> Take(RolloutsStep step, Instant now)
    {
        Rollouts = step.Rollouts;
        return Note(step.Effects, now).Map(told => (Telling)told).Strict();
    }

    private Seq<Telling.Happened> Note(Seq<RolloutEffect> effects, Instant now)
    {
        var told = effects.OfType<RolloutEffect.Report>()
            .Select(report => new Telling.Happened(report.Id, report.Seq, now, report.Event)).ToArray();
        _log.AddRange(told);
        return told.ToSeq();
    }
}
