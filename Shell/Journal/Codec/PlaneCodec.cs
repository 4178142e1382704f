using System;
using System.Collections.Generic;
using Agent.Core.Model;
using Agent.Core.Plane;
using LanguageExt;
using Effect = Agent.Core.Plane.PlaneEffect;
using Event = Agent.Core.Plane.PlaneEvent;

namespace Agent.Shell.Journal.Codec;

/// <summary>
/// The written form of the plane's events and effects. Its start has a name of its own, which tells its journal from a
/// host's.
/// </summary>
internal static class PlaneCodec
{
    public static JsonOut Write(JsonOut to, Event @event) => @event switch
    {
        Event.Started => to.Begin("planeStarted"u8).End(),
        Event.Published e => FleetOrderCodec.Write(to.Begin("published"u8).Name("order"u8), e.Order).End(),
        Event.TokenIssued e => Host(to.Begin("tokenIssued"u8).Text("token"u8, e.Token.Value), e.Host)
            .At("expires"u8, e.Expires).End(),
        Event.EnrolRequested e => Host(to.Begin("enrolRequested"u8).Text("token"u8, e.Token.Value), e.Host)
            .Text("key"u8, e.Key).End(),
        Event.Certified e => PlaneHostCodec.Write(
            Host(to.Begin("certified"u8), e.Host).Name("certificate"u8), e.Certificate).End(),
        Event.HostRevoked e => Host(to.Begin("hostRevoked"u8), e.Host).End(),
        Event.Heartbeat e => PlaneHostCodec.Write(
            Host(to.Begin("heartbeat"u8), e.Host).Name("report"u8), e.Report).End(),
        Event.Told e => Tellings(Host(to.Begin("told"u8), e.Host), e.Tellings).End(),
        Event.HaltRequested e => to.Begin("haltRequested"u8).Text("channel"u8, e.Channel.Value).End(),
        Event.ResumeRequested e => to.Begin("resumeRequested"u8).Text("channel"u8, e.Channel.Value).End(),
        Event.DeadlineReached => to.Begin("deadlineReached"u8).End(),
    };

    public static Event ReadEvent(ref JsonIn from)
    {
        var type = from.BeginTyped();
        Event @event = type switch
        {
            "planeStarted" => new Event.Started(),
            "published" => new Event.Published(FleetOrderCodec.Named(ref from)),
            "tokenIssued" => new Event.TokenIssued(Token(ref from), Host(ref from), from.At("expires"u8)),
            "enrolRequested" => new Event.EnrolRequested(Token(ref from), Host(ref from), from.Text("key"u8)),
            "certified" => new Event.Certified(Host(ref from), PlaneHostCodec.NamedCertificate(ref from)),
            "hostRevoked" => new Event.HostRevoked(Host(ref from)),
            "heartbeat" => new Event.Heartbeat(Host(ref from), PlaneHostCodec.NamedReport(ref from)),
            "told" => new Event.Told(Host(ref from), Tellings(ref from)),
            "haltRequested" => new Event.HaltRequested(Channel(ref from)),
            "resumeRequested" => new Event.ResumeRequested(Channel(ref from)),
            "deadlineReached" => new Event.DeadlineReached(),
            _ => throw new UnknownRecordException($"plane event \"{type}\"", from.Consumed),
        };
        from.End();
        return @event;
    }

    public static JsonOut Write(JsonOut to, Seq<Effect> effects)
    {
        to.BeginList();
        foreach (var effect in effects) Write(to, effect);
        return to.EndList();
    }

    public static JsonOut Write(JsonOut to, Effect effect) => effect switch
    {
        Effect.Offer e => to.Begin("offer"u8).Text("id"u8, e.Id.Value)
            .Texts("hosts"u8, e.Hosts.Map(host => host.Value).Strict()).End(),
        Effect.WaveOpened e => to.Begin("waveOpened"u8).Text("id"u8, e.Id.Value).Number("wave"u8, e.Wave).End(),
        Effect.Moved e => PlaneStateCodec.Write(
            to.Begin("moved"u8).Text("id"u8, e.Id.Value).Name("phase"u8), e.Phase).End(),
        Effect.Quarantined e => Host(
            to.Begin("quarantined"u8).Text("channel"u8, e.Channel.Value).Text("release"u8, e.Release.Value), e.Host).End(),
        Effect.QuarantineLifted e => to.Begin("quarantineLifted"u8).Text("channel"u8, e.Channel.Value)
            .Text("release"u8, e.Release.Value).End(),
        Effect.Certify e => Host(to.Begin("certify"u8), e.Host).Text("key"u8, e.Key).End(),
        Effect.Revoke e => PlaneHostCodec.Write(
            Host(to.Begin("revoke"u8), e.Host).Name("certificate"u8), e.Certificate).End(),
        Effect.Answer e => Verdicts(Host(to.Begin("answer"u8), e.Host), e.Verdicts).End(),
        Effect.Reject e => to.Begin("planeReject"u8).Text("code"u8, Names.Of(e.Code)).Text("reason"u8, e.Reason).End(),
    };

    public static HostName Host(ref JsonIn from)
    {
        var text = from.Text("host"u8);
        return HostName.Parse(text).TryGet(out var host)
            ? host
            : throw new UnknownRecordException($"\"{text}\" is no host", from.Consumed);
    }

    public static ChannelName Channel(ref JsonIn from)
    {
        var text = from.Text("channel"u8);
        return ChannelName.Parse(text).TryGet(out var channel)
            ? channel
            : throw new UnknownRecordException($"\"{text}\" is no channel", from.Consumed);
    }

    public static TokenId Token(ref JsonIn from)
    {
        var text = from.Text("token"u8);
        return TokenId.Parse(text).TryGet(out var token)
            ? token
            : throw new UnknownRecordException($"\"{text}\" is no token", from.Consumed);
    }

    private static JsonOut Host(JsonOut to, HostName host) => to.Text("host"u8, host.Value);

    private static JsonOut Tellings(JsonOut to, Seq<Telling> tellings)
    {
        to.BeginList("tellings"u8);
        foreach (var telling in tellings) Write(to, telling);
        return to.EndList();
    }

    public static JsonOut Write(JsonOut to, Telling telling) => telling switch
    {
        Telling.Happened t => RolloutCodec.Write(
            to.Begin("happened"u8).Text("id"u8, t.Id.Value).Number("seq"u8, t.Seq).At("at"u8, t.At).Name("event"u8),
            t.Event).End(),
        Telling.Stands t => RolloutStateCodec.Write(to.Begin("stands"u8).Name("state"u8), t.State).End(),
        Telling.Refused t => to.Begin("refused"u8).Text("id"u8, t.Id.Value).Text("code"u8, t.Code)
            .Text("detail"u8, t.Detail).End(),
    };

    private static Seq<Telling> Tellings(ref JsonIn from)
    {
        var tellings = new List<Telling>();
        from.BeginList("tellings"u8);
        while (!from.AtListEnd) tellings.Add(ReadTelling(ref from));
        from.EndList();
        return tellings.ToArray().ToSeq();
    }

    public static Telling ReadTelling(ref JsonIn from)
    {
        var type = from.BeginTyped();
        Telling telling;
        switch (type)
        {
            case "happened":
                var (id, seq, at) = (RolloutOrderCodec.Id(ref from), from.Number("seq"u8), from.At("at"u8));
                from.Name("event"u8);
                telling = new Telling.Happened(id, seq, at, RolloutCodec.ReadEvent(ref from));
                break;
            case "stands":
                from.Name("state"u8);
                telling = new Telling.Stands(RolloutStateCodec.Read(ref from));
                break;
            case "refused":
                telling = new Telling.Refused(
                    RolloutOrderCodec.Id(ref from), from.Text("code"u8), from.Text("detail"u8));
                break;
            default:
                throw new UnknownRecordException($"telling \"{type}\"", from.Consumed);
        }

        from.End();
        return telling;
    }

    private static JsonOut Verdicts(JsonOut to, Seq<Verdict> verdicts)
    {
        to.BeginList("verdicts"u8);
        foreach (var verdict in verdicts) Write(to, verdict);
        return to.EndList();
    }

    private static JsonOut Write(JsonOut to, Verdict verdict) => verdict switch
    {
        Verdict.Accepted => to.Begin("accepted"u8).End(),
        Verdict.Seen => to.Begin("seen"u8).End(),
        Verdict.Replay v => to.Begin("replay"u8).Text("id"u8, v.Id.Value).Number("from"u8, v.From).End(),
        Verdict.Refused v => to.Begin("refused"u8).Text("code"u8, Names.Of(v.Code)).Text("detail"u8, v.Detail).End(),
    };
}
