using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;

namespace Agent.Core.Outbox;

/// <summary>
/// What is owed to the plane and what was given up. <paramref name="Stale"/>: rollouts of which the plane lacks
/// something that is not queued, and since when; they are sent as a whole. <paramref name="Shed"/> and
/// <paramref name="DeadForgotten"/> count what went for want of room since this host was set up.
/// </summary>
public sealed record OutboxQueue(
    OutboxItems Items,
    long NextPosition,
    long NextPost,
    Seq<DeadLetter> Dead,
    long DeadForgotten,
    long Shed,
    Map<OrdRolloutId, RolloutId, Instant> Stale,
    int BatchLimit)
{
    /// <summary>Days of a quiet host and hours of a busy one; a few megabytes of state.</summary>
    public const int Capacity = 10_000;

    /// <summary>A request stays well below what a plane takes, and a refused one is soon taken apart.</summary>
    public const int MaxBatch = 100;

    /// <summary>More are not looked through by hand; the journal has them all.</summary>
    public const int MaxDead = 100;

    /// <summary>
    /// What the rollouts of a full host can still go through with no order and no retry added: of each channel one
    /// that is being switched, which takes two more steps at most to make room for the newest, and the newest, which
    /// takes five: activating, deferred, soaking, failed, reverted.
    /// </summary>
    public const int Reserve = Rollouts.MaxChannels * (2 + 5);

    public static OutboxQueue Empty { get; } = new(
        OutboxItems.Empty, NextPosition: 1, NextPost: 1, Seq<DeadLetter>(), DeadForgotten: 0, Shed: 0,
        Map<OrdRolloutId, RolloutId, Instant>(), MaxBatch);

    /// <summary>There is room for everything that a new rollout and those before it lead to.</summary>
    public bool Admits => Capacity - Items.Transitions >= Reserve;

    public bool OwesNothing => Owed == 0;

    public int Owed => Items.Count + Stale.Count;

    /// <summary>
    /// A new item at the end. When full the oldest observation goes, the new one itself if it is the only one, and
    /// its rollout is owed as a whole.
    /// </summary>
    public OutboxQueue Append(RolloutId rollout, long seq, Instant at, RolloutEvent @event, Importance importance)
    {
        var item = new OutboxItem(NextPosition, rollout, seq, at, @event, importance);
        var next = this with { NextPosition = NextPosition + 1 };
        if (Items.Count < Capacity) return next with { Items = Items.Add(item) };
        if (!Items.OldestObservation.TryGet(out var oldest))
        {
            // Full of transitions: Admits has kept this from a host. The whole that is owed tells of it all the same.
            return (next with { Shed = Shed + 1 }).Owe(rollout, at);
        }

        return (next with { Items = Items.Remove(oldest.Position).Add(item), Shed = Shed + 1 }).Owe(oldest.Rollout, at);
    }

    public OutboxQueue Remove(OutboxItem item) => this with { Items = Items.Remove(item.Position) };

    /// <summary>The plane refused it. Where its rollout stands is still owed.</summary>
    public OutboxQueue Bury(OutboxItem item, string code, string detail, Instant now)
    {
        var surplus = Math.Max(0, Dead.Count + 1 - MaxDead);
        return (Remove(item) with
        {
            Dead = Dead.Skip(surplus).Strict().Add(new DeadLetter(item, code, detail, now)),
            DeadForgotten = DeadForgotten + surplus,
        }).Owe(item.Rollout, now);
    }

    public Option<DeadLetter> FindDead(long position) => Dead.Find(letter => letter.Item.Position == position);

    public OutboxQueue DropDead(long position) =>
        this with { Dead = Dead.Filter(letter => letter.Item.Position != position).Strict() };

    /// <summary>The plane lacks it from this seq on: what is queued comes by itself, for anything else it gets the whole.</summary>
    public OutboxQueue Replay(RolloutId rollout, long seq, Instant now) =>
        Items.HasAllFrom(rollout, seq) ? this : Owe(rollout, now);

    /// <summary>
    /// The plane gets this rollout as a whole. As many as there could be items, which the hosts of no plane exceed; a
    /// plane that asks for more is not listened to.
    /// </summary>
    public OutboxQueue Owe(RolloutId rollout, Instant now) => Stale.ContainsKey(rollout) || Stale.Count >= Capacity
        ? this
        : this with { Stale = Stale.AddOrUpdate(rollout, now) };
}
