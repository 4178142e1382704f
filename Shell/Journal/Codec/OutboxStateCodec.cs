using System;
using System.Collections.Generic;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Time;
using LanguageExt;
using State = Agent.Core.Outbox.OutboxState;

namespace Agent.Shell.Journal.Codec;

/// <summary>The written form of where the outbox stands.</summary>
internal static class OutboxStateCodec
{
    public static JsonOut Write(JsonOut to, State state) => state switch
    {
        State.Off s => Queue(to.Begin("off"u8), s.Queue).End(),
        State.Idle s => Queue(to.Begin("idle"u8), s.Queue).End(),
        State.Sending s => Queue(to.Begin("sending"u8), s.Queue).Number("number"u8, s.Number)
            .Number("through"u8, s.Through).Number("size"u8, s.Size)
            .Texts("snapshots"u8, s.Snapshots.Map(rollout => rollout.Value).Strict()).Number("attempt"u8, s.Attempt).End(),
        State.Waiting s => Queue(to.Begin("waiting"u8), s.Queue).At("retryAt"u8, s.RetryAt)
            .Number("attempts"u8, s.Attempts).Text("failure"u8, s.Failure).End(),
    };

    public static State Read(ref JsonIn from)
    {
        var type = from.BeginTyped();
        var queue = Queue(ref from);
        State state = type switch
        {
            "off" => new State.Off(queue),
            "idle" => new State.Idle(queue),
            "sending" => new State.Sending(
                queue, from.Number("number"u8), from.Number("through"u8), from.Int("size"u8), Rollouts(ref from),
                from.Int("attempt"u8)),
            "waiting" => new State.Waiting(queue, from.At("retryAt"u8), from.Int("attempts"u8), from.Text("failure"u8)),
            _ => throw new UnknownRecordException($"outbox state \"{type}\"", from.Consumed),
        };
        from.End();
        return state;
    }

    private static JsonOut Queue(JsonOut to, OutboxQueue queue)
    {
        to.Name("queue"u8).Begin().BeginList("items"u8);
        foreach (var item in queue.Items.All.Values) Write(to, item);
        to.EndList().Number("nextPosition"u8, queue.NextPosition).Number("nextPost"u8, queue.NextPost).BeginList("dead"u8);
        foreach (var letter in queue.Dead)
        {
            Write(to.Begin().Name("item"u8), letter.Item).Text("code"u8, letter.Code).Text("detail"u8, letter.Detail)
                .At("at"u8, letter.At).End();
        }

        to.EndList().Number("deadForgotten"u8, queue.DeadForgotten).Number("shed"u8, queue.Shed).BeginList("stale"u8);
        foreach (var (rollout, since) in queue.Stale.AsEnumerable())
        {
            to.Begin().Text("rollout"u8, rollout.Value).At("since"u8, since).End();
        }

        return to.EndList().Number("batchLimit"u8, queue.BatchLimit).End();
    }

    private static OutboxQueue Queue(ref JsonIn from)
    {
        from.Name("queue"u8);
        from.Begin();
        var items = OutboxItems.Empty;
        from.BeginList("items"u8);
        while (!from.AtListEnd) items = items.Add(Item(ref from));
        from.EndList();
        var queue = new OutboxQueue(
            items, from.Number("nextPosition"u8), from.Number("nextPost"u8), Dead(ref from),
            from.Number("deadForgotten"u8), from.Number("shed"u8), Stale(ref from), from.Int("batchLimit"u8));
        from.End();
        return queue;
    }

    private static JsonOut Write(JsonOut to, OutboxItem item) => RolloutCodec.Write(
        to.Begin().Number("position"u8, item.Position).Text("rollout"u8, item.Rollout.Value).Number("seq"u8, item.Seq)
            .At("at"u8, item.At).Text("importance"u8, Names.Of(item.Importance)).Name("event"u8),
        item.Event).End();

    private static OutboxItem Item(ref JsonIn from)
    {
        from.Begin();
        var position = from.Number("position"u8);
        var rollout = RolloutOrderCodec.Id(ref from, "rollout"u8);
        var seq = from.Number("seq"u8);
        var at = from.At("at"u8);
        var importance = Names.Importance(from.Text("importance"u8));
        from.Name("event"u8);
        var item = new OutboxItem(position, rollout, seq, at, RolloutCodec.ReadEvent(ref from), importance);
        from.End();
        return item;
    }

    private static Seq<DeadLetter> Dead(ref JsonIn from)
    {
        var dead = new List<DeadLetter>();
        from.BeginList("dead"u8);
        while (!from.AtListEnd)
        {
            from.Begin();
            from.Name("item"u8);
            dead.Add(new(Item(ref from), from.Text("code"u8), from.Text("detail"u8), from.At("at"u8)));
            from.End();
        }

        from.EndList();
        return dead.ToArray().ToSeq();
    }

    private static Map<OrdRolloutId, RolloutId, Instant> Stale(ref JsonIn from)
    {
        var stale = OutboxQueue.Empty.Stale;
        from.BeginList("stale"u8);
        while (!from.AtListEnd)
        {
            from.Begin();
            stale = stale.AddOrUpdate(RolloutOrderCodec.Id(ref from, "rollout"u8), from.At("since"u8));
            from.End();
        }

        from.EndList();
        return stale;
    }

    private static Seq<RolloutId> Rollouts(ref JsonIn from)
    {
        var rollouts = new List<RolloutId>();
        foreach (var text in from.Texts("snapshots"u8))
        {
            rollouts.Add(RolloutId.Parse(text).TryGet(out var rollout)
                ? rollout
                : throw new UnknownRecordException($"\"{text}\" names no rollout", from.Consumed));
        }

        return rollouts.ToArray().ToSeq();
    }
}
