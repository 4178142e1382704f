using Agent.Core.Model;

namespace Agent.Core.Outbox;

/// <summary>Items by position, and of those the observations again, so that the oldest of them is found at once.</summary>
public sealed record OutboxItems
{
    private readonly Map<OrdPosition, long, OutboxItem> _observations;

    private OutboxItems(Map<OrdPosition, long, OutboxItem> all, Map<OrdPosition, long, OutboxItem> observations) =>
        (All, _observations) = (all, observations);

    public static OutboxItems Empty { get; } =
        new(Map<OrdPosition, long, OutboxItem>(), Map<OrdPosition, long, OutboxItem>());

    public Map<OrdPosition, long, OutboxItem> All { get; }

    public int Count => All.Count;

    public int Transitions => All.Count - _observations.Count;

    public Option<OutboxItem> Find(long position) => All.Find(position);

    public OutboxItems Add(OutboxItem item) => new(
        All.AddOrUpdate(item.Position, item),
        item.Importance == Importance.Observation
            ? _observations.AddOrUpdate(item.Position, item)
            : _observations);

    public OutboxItems Remove(long position) => new(All.Remove(position), _observations.Remove(position));

    public Option<OutboxItem> OldestObservation
    {
        get
        {
            foreach (var item in _observations.Values) return item;
            return None;
        }
    }

    /// <summary>The oldest ones, in order.</summary>
    public Seq<OutboxItem> First(int limit)
    {
        var taken = new OutboxItem[Math.Min(limit, Count)];
        if (taken.Length == 0) return Seq<OutboxItem>();
        var at = 0;
        foreach (var item in All.Values)
        {
            taken[at++] = item;
            if (at == taken.Length) break;
        }

        return taken.ToSeq();
    }

    /// <summary>Whether what is queued of a rollout begins with this seq and has no gap after it.</summary>
    public bool HasAllFrom(RolloutId rollout, long seq)
    {
        var next = seq;
        foreach (var item in All.Values)
        {
            if (item.Seq < seq || item.Rollout != rollout) continue;
            if (item.Seq != next) return false;
            next++;
        }

        return next > seq;
    }
}
