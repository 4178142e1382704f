using System;
using System.Collections.Generic;
using Agent.Core.Outbox;
using LanguageExt;
using Effect = Agent.Core.Outbox.OutboxEffect;
using Event = Agent.Core.Outbox.OutboxEvent;

namespace Agent.Shell.Journal.Codec;

/// <summary>The written form of the outbox's events and effects.</summary>
internal static class OutboxCodec
{
    public static JsonOut Write(JsonOut to, Event @event) => @event switch
    {
        Event.Attached => to.Begin("attached"u8).End(),
        Event.Detached => to.Begin("detached"u8).End(),
        Event.Noted e => RolloutCodec.Write(
            to.Begin("noted"u8).Text("rollout"u8, e.Rollout.Value).Number("seq"u8, e.Seq)
                .Text("importance"u8, Names.Of(e.Importance)).Name("event"u8),
            e.Event).End(),
        Event.Delivered e => Replays(
            Verdicts(to.Begin("delivered"u8).Number("post"u8, e.Post), e.Verdicts), e.Replays).End(),
        Event.DeliveryFailed e => to.Begin("deliveryFailed"u8).Number("post"u8, e.Post)
            .Text("kind"u8, Names.Of(e.Kind)).Span("retryAfterMs"u8, e.RetryAfter).Text("detail"u8, e.Detail)
            .Number("jitterPermille"u8, e.JitterPermille).End(),
        Event.ReplayRequested e => to.Begin("replayRequested"u8).Text("rollout"u8, e.Rollout.Value)
            .Number("fromSeq"u8, e.FromSeq).End(),
        Event.DeadlineReached => to.Begin("deadlineReached"u8).End(),
        Event.Recovered => to.Begin("recovered"u8).End(),
        Event.FlushRequested => to.Begin("flushRequested"u8).End(),
        Event.DeadLetterRetried e => to.Begin("deadLetterRetried"u8).Number("position"u8, e.Position).End(),
        Event.DeadLetterDropped e => to.Begin("deadLetterDropped"u8).Number("position"u8, e.Position).End(),
    };

    public static Event ReadEvent(ref JsonIn from)
    {
        var type = from.BeginTyped();
        Event @event = type switch
        {
            "attached" => new Event.Attached(),
            "detached" => new Event.Detached(),
            "noted" => Noted(ref from),
            "delivered" => new Event.Delivered(from.Number("post"u8), Verdicts(ref from), Replays(ref from)),
            "deliveryFailed" => new Event.DeliveryFailed(
                from.Number("post"u8), Names.Delivery(from.Text("kind"u8)), from.SpanOrNone("retryAfterMs"u8),
                from.Text("detail"u8), from.Int("jitterPermille"u8)),
            "replayRequested" => new Event.ReplayRequested(
                RolloutOrderCodec.Id(ref from, "rollout"u8), from.Number("fromSeq"u8)),
            "deadlineReached" => new Event.DeadlineReached(),
            "recovered" => new Event.Recovered(),
            "flushRequested" => new Event.FlushRequested(),
            "deadLetterRetried" => new Event.DeadLetterRetried(from.Number("position"u8)),
            "deadLetterDropped" => new Event.DeadLetterDropped(from.Number("position"u8)),
            _ => throw new UnknownRecordException($"outbox event \"{type}\"", from.Consumed),
        };
        from.End();
        return @event;
    }

    /// <summary>A post names its items and holds none: they follow from the state, and each is in the journal already.</summary>
    public static JsonOut Write(JsonOut to, Effect effect) => effect switch
    {
        Effect.Post e => Named(Named(to.Begin("post"u8).Number("number"u8, e.Number), e.Items), e).End(),
        Effect.Warn e => to.Begin("warn"u8).Text("what"u8, e.What).End(),
        Effect.Reject e => to.Begin("outboxReject"u8).Text("code"u8, Names.Of(e.Code)).Text("reason"u8, e.Reason).End(),
    };

    private static JsonOut Named(JsonOut to, Seq<OutboxItem> items) => items.IsEmpty
        ? to.Null("from"u8).Null("through"u8).Number("count"u8, 0)
        : to.Number("from"u8, items.Head.Position).Number("through"u8, items.Last.Position).Number("count"u8, items.Count);

    private static JsonOut Named(JsonOut to, Effect.Post post) =>
        to.Texts("snapshots"u8, post.Snapshots.Map(rollout => rollout.Value).Strict());

    private static Event.Noted Noted(ref JsonIn from)
    {
        var rollout = RolloutOrderCodec.Id(ref from, "rollout"u8);
        var seq = from.Number("seq"u8);
        var importance = Names.Importance(from.Text("importance"u8));
        from.Name("event"u8);
        return new(rollout, seq, RolloutCodec.ReadEvent(ref from), importance);
    }

    private static JsonOut Verdicts(JsonOut to, Seq<ItemVerdict> verdicts)
    {
        to.BeginList("verdicts"u8);
        foreach (var verdict in verdicts)
        {
            _ = verdict switch
            {
                ItemVerdict.Accepted => to.Begin("accepted"u8).Number("position"u8, verdict.Position).End(),
                ItemVerdict.Refused(_, var code, var detail) => to.Begin("refused"u8)
                    .Number("position"u8, verdict.Position).Text("code"u8, code).Text("detail"u8, detail).End(),
            };
        }

        return to.EndList();
    }

    private static Seq<ItemVerdict> Verdicts(ref JsonIn from)
    {
        var verdicts = new List<ItemVerdict>();
        from.BeginList("verdicts"u8);
        while (!from.AtListEnd)
        {
            var type = from.BeginTyped();
            var position = from.Number("position"u8);
            verdicts.Add(type switch
            {
                "accepted" => new ItemVerdict.Accepted(position),
                "refused" => new ItemVerdict.Refused(position, from.Text("code"u8), from.Text("detail"u8)),
                _ => throw new UnknownRecordException($"verdict \"{type}\"", from.Consumed),
            });
            from.End();
        }

        from.EndList();
        return verdicts.ToArray().ToSeq();
    }

    private static JsonOut Replays(JsonOut to, Seq<ReplayRequest> replays)
    {
        to.BeginList("replays"u8);
        foreach (var replay in replays)
        {
            to.Begin().Text("rollout"u8, replay.Rollout.Value).Number("fromSeq"u8, replay.FromSeq).End();
        }

        return to.EndList();
    }

    private static Seq<ReplayRequest> Replays(ref JsonIn from)
    {
        var replays = new List<ReplayRequest>();
        from.BeginList("replays"u8);
        while (!from.AtListEnd)
        {
            from.Begin();
            replays.Add(new(RolloutOrderCodec.Id(ref from, "rollout"u8), from.Number("fromSeq"u8)));
            from.End();
        }

        from.EndList();
        return replays.ToArray().ToSeq();
    }
}
