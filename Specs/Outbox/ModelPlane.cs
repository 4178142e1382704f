using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Rollout;
using Agent.Core.Time;
using LanguageExt;

namespace Agent.Specs.Outbox;

/// <summary>
/// A plane in its plainest form: a mirror of each rollout, stepped with what it is sent and nothing else. It drops what
/// it has seen, asks for a replay where there is a gap, takes the whole of a rollout where that is newer, and refuses
/// the few events that its poison names.
/// </summary>
internal sealed class ModelPlane(Func<RolloutId, long, bool> poison)
{
    private readonly Dictionary<RolloutId, RolloutState> _mirrors = [];

    public IReadOnlyDictionary<RolloutId, RolloutState> Mirrors => _mirrors;

    /// <summary>It dispatched this rollout itself, so it knows the manifest.</summary>
    public void Dispatch(RolloutOrder order, Instant at) => _mirrors.TryAdd(order.Id, RolloutMachine.Create(order, at));

    /// <summary>
    /// Its store is lost; the signed manifests tell it what there is, and the host is asked for how far it came.
    /// </summary>
    public OutboxEvent[] Forget()
    {
        foreach (var (id, state) in _mirrors)
        {
            _mirrors[id] = RolloutMachine.Create(state.Profile.Order, state.Profile.ReceivedAt);
        }

        return [.. _mirrors.Keys.Select(id => new OutboxEvent.ReplayRequested(id, 1))];
    }

    public OutboxEvent.Delivered Take(OutboxEffect.Post post, Func<RolloutId, Option<RolloutState>> whole)
    {
        foreach (var id in post.Snapshots)
        {
            if (!whole(id).TryGet(out var state)) continue;
            if (!_mirrors.TryGetValue(id, out var known) || known.Profile.Seq < state.Profile.Seq) _mirrors[id] = state;
        }

        var verdicts = new List<ItemVerdict>();
        var replays = new Dictionary<RolloutId, long>();
        foreach (var item in post.Items)
        {
            if (replays.ContainsKey(item.Rollout)) continue;
            var mirror = _mirrors[item.Rollout];
            var next = mirror.Profile.Seq + 1;
            if (item.Seq > next)
            {
                replays.Add(item.Rollout, next);
            }
            else if (item.Seq == next && poison(item.Rollout, item.Seq))
            {
                verdicts.Add(new ItemVerdict.Refused(item.Position, "poison", "not for me"));
            }
            else
            {
                _mirrors[item.Rollout] = RolloutMachine.Step(mirror, item.Seq, new(item.At, item.Event)).State;
                verdicts.Add(new ItemVerdict.Accepted(item.Position));
            }
        }

        return new(
            post.Number, verdicts.ToArray().ToSeq(),
            replays.Select(asked => new ReplayRequest(asked.Key, asked.Value)).ToArray().ToSeq());
    }
}
