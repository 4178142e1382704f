using System;
using System.Collections.Generic;
using System.Linq;
using Agent.Core.Model;
using Agent.Core.Rollout;
using LanguageExt;
using State = Agent.Core.Rollout.RolloutState;

namespace Agent.Shell.Journal.Codec;

/// <summary>The written form of where rollouts stand.</summary>
internal static class RolloutStateCodec
{
    public static JsonOut Write(JsonOut to, Rollouts rollouts)
    {
        to.Begin().BeginList("all"u8);
        foreach (var state in rollouts.All.Values) Write(to, state);
        to.EndList().BeginList("floors"u8);
        foreach (var (channel, version) in rollouts.Floors.AsEnumerable())
        {
            to.Begin().Text("channel"u8, channel.Value).Number("version"u8, version).End();
        }

        return to.EndList().End();
    }

    public static Rollouts ReadAll(ref JsonIn from)
    {
        var rollouts = Rollouts.Empty;
        from.Begin();
        from.BeginList("all"u8);
        while (!from.AtListEnd)
        {
            var state = Read(ref from);
            rollouts = rollouts with { All = rollouts.All.AddOrUpdate(state.Profile.Order.Id, state) };
        }

        from.EndList();
        from.BeginList("floors"u8);
        while (!from.AtListEnd)
        {
            from.Begin();
            var name = from.Text("channel"u8);
            var channel = ChannelName.Parse(name).TryGet(out var parsed)
                ? parsed
                : throw new UnknownRecordException($"\"{name}\" is no channel", from.Consumed);
            rollouts = rollouts with { Floors = rollouts.Floors.AddOrUpdate(channel, from.Number("version"u8)) };
            from.End();
        }

        from.EndList();
        from.End();
        return rollouts;
    }

    public static JsonOut Write(JsonOut to, State state) => state switch
    {
        State.Pending s => Profile(to.Begin("pending"u8), s).End(),
        State.Activating s => Switched(Profile(to.Begin("activating"u8), s), s.Switch).Flag("begun"u8, s.Begun).End(),
        State.Deferred s => Switched(Profile(to.Begin("deferred"u8), s), s.Switch)
            .Text("component"u8, s.Component).Text("boot"u8, s.Boot.Value).End(),
        State.Soaking s => Records(
            Unseen(
                Switched(Profile(to.Begin("soaking"u8), s), s.Switch).At("since"u8, s.Since)
                    .At("soakUntil"u8, s.SoakUntil).At("verdictBy"u8, s.VerdictBy).Flag("soaked"u8, s.Soaked),
                s),
            s.Probes).End(),
        State.Converged s => Switched(Profile(to.Begin("converged"u8), s), s.Switch).At("at"u8, s.At).End(),
        State.Failed s => Write(
            Write(Switched(Profile(to.Begin("failed"u8), s), s.Switch).At("at"u8, s.At).Name("cause"u8), s.Cause)
                .Name("recovery"u8),
            s.Recovery).End(),
        State.Reverted s => Write(
            Switched(Profile(to.Begin("reverted"u8), s), s.Switch).At("at"u8, s.At).Name("cause"u8), s.Cause)
            .Text("to"u8, s.To.Value).End(),
        State.Superseded s => Profile(to.Begin("superseded"u8), s).At("at"u8, s.At).Text("by"u8, s.By.Value).End(),
    };

    public static State Read(ref JsonIn from)
    {
        var type = from.BeginTyped();
        var profile = Profile(ref from);
        State state = type switch
        {
            "pending" => new State.Pending(profile),
            "activating" => new State.Activating(profile, Switched(ref from), from.Flag("begun"u8)),
            "deferred" => new State.Deferred(
                profile, Switched(ref from), from.Text("component"u8), new BootId(from.Text("boot"u8))),
            "soaking" => new State.Soaking(
                profile, Switched(ref from), from.At("since"u8), from.At("soakUntil"u8), from.At("verdictBy"u8),
                from.Flag("soaked"u8), Seen(ref from), Records(ref from)),
            "converged" => new State.Converged(profile, Switched(ref from), from.At("at"u8)),
            "failed" => new State.Failed(
                profile, Switched(ref from), from.At("at"u8), NamedCause(ref from), NamedRecovery(ref from)),
            "reverted" => new State.Reverted(
                profile, Switched(ref from), from.At("at"u8), NamedCause(ref from),
                RolloutOrderCodec.Release(ref from, from.Text("to"u8))),
            "superseded" => new State.Superseded(profile, from.At("at"u8), RolloutOrderCodec.Id(ref from, "by"u8)),
            _ => throw new UnknownRecordException($"rollout state \"{type}\"", from.Consumed),
        };
        from.End();
        return state;
    }

    public static JsonOut Write(JsonOut to, FailureCause cause) => cause switch
    {
        FailureCause.SwitchFailed c => to.Begin("switchFailed"u8).Text("code"u8, c.Code).Text("detail"u8, c.Detail).End(),
        FailureCause.WrongRelease c => Running(to.Begin("wrongRelease"u8), c.Running).End(),
        FailureCause.ProbesFailed c => to.Begin("probesFailed"u8).Texts("probes"u8, Texts(c.Probes))
            .Span("lastedMs"u8, c.Lasted).End(),
        FailureCause.NoVerdict c => to.Begin("noVerdict"u8).Texts("probes"u8, Texts(c.Probes)).End(),
        FailureCause.Drifted c => Running(to.Begin("drifted"u8), c.Running).End(),
        FailureCause.Stopped c => to.Begin("stopped"u8).Text("then"u8, Names.Of(c.Then)).End(),
    };

    private static FailureCause NamedCause(ref JsonIn from)
    {
        from.Name("cause"u8);
        var type = from.BeginTyped();
        FailureCause cause = type switch
        {
            "switchFailed" => new FailureCause.SwitchFailed(from.Text("code"u8), from.Text("detail"u8)),
            "wrongRelease" => new FailureCause.WrongRelease(Running(ref from)),
            "probesFailed" => new FailureCause.ProbesFailed(ProbeNames(ref from), from.Span("lastedMs"u8)),
            "noVerdict" => new FailureCause.NoVerdict(ProbeNames(ref from)),
            "drifted" => new FailureCause.Drifted(Running(ref from)),
            "stopped" => new FailureCause.Stopped(Names.Failure(from.Text("then"u8))),
            _ => throw new UnknownRecordException($"failure cause \"{type}\"", from.Consumed),
        };
        from.End();
        return cause;
    }

    private static JsonOut Write(JsonOut to, Recovery recovery) => recovery switch
    {
        Recovery.Held(var because) => to.Begin("held"u8).Text("because"u8, Names.Of(because)).End(),
        Recovery.RollingBack(var attempt) => to.Begin("rollingBack"u8).Number("attempt"u8, attempt).End(),
        Recovery.RollbackDue r => to.Begin("rollbackDue"u8).At("retryAt"u8, r.RetryAt)
            .Number("attempt"u8, r.Attempt).Text("code"u8, r.Code).Text("detail"u8, r.Detail).End(),
    };

    private static Recovery NamedRecovery(ref JsonIn from)
    {
        from.Name("recovery"u8);
        var type = from.BeginTyped();
        Recovery recovery = type switch
        {
            "held" => new Recovery.Held(Names.Held(from.Text("because"u8))),
            "rollingBack" => new Recovery.RollingBack(from.Int("attempt"u8)),
            "rollbackDue" => new Recovery.RollbackDue(
                from.At("retryAt"u8), from.Int("attempt"u8), from.Text("code"u8), from.Text("detail"u8)),
            _ => throw new UnknownRecordException($"recovery \"{type}\"", from.Consumed),
        };
        from.End();
        return recovery;
    }

    private static JsonOut Profile(JsonOut to, State state) => RolloutOrderCodec.Write(
        to.Name("order"u8), state.Profile.Order).At("receivedAt"u8, state.Profile.ReceivedAt)
        .Number("seq"u8, state.Profile.Seq);

    private static RolloutProfile Profile(ref JsonIn from) =>
        new(RolloutOrderCodec.NamedOrder(ref from), from.At("receivedAt"u8), from.Number("seq"u8));

    private static JsonOut Switched(JsonOut to, Switch @switch) => to.Number("activation"u8, @switch.Activation)
        .Text("previous"u8, @switch.Previous.Map(release => release.Value));

    private static Switch Switched(ref JsonIn from) =>
        new(from.Int("activation"u8), RolloutOrderCodec.ReleaseOrNone(ref from, "previous"u8));

    /// <summary>Written only while it has not been seen: the digests of journals that never had the field stay true.</summary>
    private static JsonOut Unseen(JsonOut to, State.Soaking state) => state.Seen ? to : to.Flag("unseen"u8, true);

    private static bool Seen(ref JsonIn from)
    {
        if (!from.AtName("unseen"u8)) return true;
        return !from.Flag("unseen"u8);
    }

    private static JsonOut Running(JsonOut to, Option<ReleaseId> running) =>
        to.Text("running"u8, running.Map(release => release.Value));

    private static Option<ReleaseId> Running(ref JsonIn from) =>
        RolloutOrderCodec.ReleaseOrNone(ref from, "running"u8);

    private static JsonOut Records(JsonOut to, Seq<ProbeRecord> records)
    {
        to.BeginList("probes"u8);
        foreach (var record in records)
        {
            RolloutOrderCodec.Write(to.Begin().Name("spec"u8), record.Spec).Number("passes"u8, record.Passes)
                .Number("failures"u8, record.Failures).At("failingSince"u8, record.FailingSince).Name("last"u8);
            to = record.Last.TryGet(out var last) ? RolloutCodec.Write(to, last) : to.NullValue();
            to.End();
        }

        return to.EndList();
    }

    private static Seq<ProbeRecord> Records(ref JsonIn from)
    {
        var records = new List<ProbeRecord>();
        from.BeginList("probes"u8);
        while (!from.AtListEnd)
        {
            from.Begin();
            from.Name("spec"u8);
            var spec = RolloutOrderCodec.Probe(ref from);
            var (passes, failures) = (from.Int("passes"u8), from.Int("failures"u8));
            var since = from.AtOrNone("failingSince"u8);
            from.Name("last"u8);
            var last = from.TakeNull() ? Option<ProbeOutcome>.None : RolloutCodec.ReadOutcome(ref from);
            records.Add(new(spec, passes, failures, since, last));
            from.End();
        }

        from.EndList();
        return records.ToArray().ToSeq();
    }

    private static Seq<string> Texts(Seq<ProbeName> names) => names.Map(name => name.Value).Strict();

    private static Seq<ProbeName> ProbeNames(ref JsonIn from)
    {
        var names = new List<ProbeName>();
        foreach (var text in from.Texts("probes"u8)) names.Add(RolloutOrderCodec.Name(ref from, text));
        return names.ToArray().ToSeq();
    }
}
