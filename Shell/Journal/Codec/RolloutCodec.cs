using System;
using System.Collections.Generic;
using Agent.Core.Model;
using Agent.Core.Rollout;
using LanguageExt;
using Effect = Agent.Core.Rollout.RolloutEffect;
using Event = Agent.Core.Rollout.RolloutEvent;

namespace Agent.Shell.Journal.Codec;

/// <summary>The written form of the rollout machine's events and effects.</summary>
internal static class RolloutCodec
{
    public static JsonOut Write(JsonOut to, Event @event) => @event switch
    {
        Event.Activate => to.Begin("activate"u8).End(),
        Event.ActivationStarted e => Release(Numbered(to.Begin("activationStarted"u8), e.Activation), e.Running)
            .Text("method"u8, e.Method).End(),
        Event.ActivationCompleted e =>
            Release(Numbered(to.Begin("activationCompleted"u8), e.Activation), e.Running).End(),
        Event.ActivationDeferred e => Numbered(to.Begin("activationDeferred"u8), e.Activation)
            .Text("component"u8, e.Component).Text("boot"u8, e.Boot.Value).End(),
        Event.ActivationFailed e => Numbered(to.Begin("activationFailed"u8), e.Activation)
            .Text("code"u8, e.Code).Text("detail"u8, e.Detail).End(),
        Event.ProbeReported e => Controls(
            Write(
                Numbered(to.Begin("probeReported"u8), e.Activation).Text("probe"u8, e.Probe.Value).Name("outcome"u8),
                e.Outcome),
            e.Controls).End(),
        Event.RunningObserved e => Release(Numbered(to.Begin("runningObserved"u8), e.Activation), e.Running).End(),
        Event.RollbackCompleted e => Release(Numbered(to.Begin("rollbackCompleted"u8), e.Activation), e.Running).End(),
        Event.RollbackFailed e => Numbered(to.Begin("rollbackFailed"u8), e.Activation)
            .Text("code"u8, e.Code).Text("detail"u8, e.Detail).End(),
        Event.SuccessorArrived e => to.Begin("successorArrived"u8).Text("by"u8, e.By.Value).End(),
        Event.HaltRequested => to.Begin("haltRequested"u8).End(),
        Event.RollbackRequested => to.Begin("rollbackRequested"u8).End(),
        Event.RetryRequested => to.Begin("retryRequested"u8).End(),
        Event.Recovered e => to.Begin("recovered"u8).Text("boot"u8, e.Boot.Value).End(),
        Event.DeadlineReached => to.Begin("deadlineReached"u8).End(),
    };

    public static Event ReadEvent(ref JsonIn from)
    {
        var type = from.BeginTyped();
        Event @event = type switch
        {
            "activate" => new Event.Activate(),
            "activationStarted" => new Event.ActivationStarted(
                Activation(ref from), Release(ref from), from.Text("method"u8)),
            "activationCompleted" => new Event.ActivationCompleted(Activation(ref from), Release(ref from)),
            "activationDeferred" => new Event.ActivationDeferred(
                Activation(ref from), from.Text("component"u8), new BootId(from.Text("boot"u8))),
            "activationFailed" => new Event.ActivationFailed(
                Activation(ref from), from.Text("code"u8), from.Text("detail"u8)),
            "probeReported" => new Event.ProbeReported(
                Activation(ref from), RolloutOrderCodec.Name(ref from, from.Text("probe"u8)), NamedOutcome(ref from),
                Controls(ref from)),
            "runningObserved" => new Event.RunningObserved(Activation(ref from), Release(ref from)),
            "rollbackCompleted" => new Event.RollbackCompleted(Activation(ref from), Release(ref from)),
            "rollbackFailed" => new Event.RollbackFailed(
                Activation(ref from), from.Text("code"u8), from.Text("detail"u8)),
            "successorArrived" => new Event.SuccessorArrived(RolloutOrderCodec.Id(ref from, "by"u8)),
            "haltRequested" => new Event.HaltRequested(),
            "rollbackRequested" => new Event.RollbackRequested(),
            "retryRequested" => new Event.RetryRequested(),
            "recovered" => new Event.Recovered(new BootId(from.Text("boot"u8))),
            "deadlineReached" => new Event.DeadlineReached(),
            _ => throw new UnknownRecordException($"rollout event \"{type}\"", from.Consumed),
        };
        from.End();
        return @event;
    }

    public static JsonOut Write(JsonOut to, Effect effect) => effect switch
    {
        Effect.FireSwitch e => RolloutOrderCodec.Write(to.Begin("fireSwitch"u8).Name("order"u8), e.Order)
            .Number("activation"u8, e.Activation).Text("previous"u8, e.Previous.Map(release => release.Value)).End(),
        Effect.FireRollback e => RolloutOrderCodec.Write(to.Begin("fireRollback"u8).Name("order"u8), e.Order)
            .Number("activation"u8, e.Activation).Text("to"u8, e.To.Value).End(),
        Effect.CheckRunning e => RolloutOrderCodec.Write(to.Begin("checkRunning"u8).Name("order"u8), e.Order)
            .Number("activation"u8, e.Activation).End(),
        Effect.Report e => Write(
            to.Begin("report"u8).Text("id"u8, e.Id.Value).Number("seq"u8, e.Seq).Name("event"u8), e.Event).End(),
        Effect.Reject e => to.Begin("rolloutReject"u8).Text("code"u8, Names.Of(e.Code)).Text("reason"u8, e.Reason).End(),
    };

    public static JsonOut Write(JsonOut to, ProbeOutcome outcome) => outcome switch
    {
        ProbeOutcome.Passed => to.Begin("passed"u8).Text("detail"u8, outcome.Detail).End(),
        ProbeOutcome.Failed => to.Begin("failed"u8).Text("detail"u8, outcome.Detail).End(),
        ProbeOutcome.Inconclusive => to.Begin("inconclusive"u8).Text("detail"u8, outcome.Detail).End(),
    };

    public static ProbeOutcome ReadOutcome(ref JsonIn from)
    {
        var type = from.BeginTyped();
        ProbeOutcome outcome = type switch
        {
            "passed" => new ProbeOutcome.Passed(from.Text("detail"u8)),
            "failed" => new ProbeOutcome.Failed(from.Text("detail"u8)),
            "inconclusive" => new ProbeOutcome.Inconclusive(from.Text("detail"u8)),
            _ => throw new UnknownRecordException($"probe outcome \"{type}\"", from.Consumed),
        };
        from.End();
        return outcome;
    }

    private static ProbeOutcome NamedOutcome(ref JsonIn from)
    {
        from.Name("outcome"u8);
        return ReadOutcome(ref from);
    }

    private static JsonOut Numbered(JsonOut to, int activation) => to.Number("activation"u8, activation);

    private static int Activation(ref JsonIn from) => from.Int("activation"u8);

    private static JsonOut Release(JsonOut to, Option<ReleaseId> running) =>
        to.Text("running"u8, running.Map(release => release.Value));

    private static Option<ReleaseId> Release(ref JsonIn from) => RolloutOrderCodec.ReleaseOrNone(ref from, "running"u8);

    private static JsonOut Controls(JsonOut to, Seq<ControlResult> controls)
    {
        to.BeginList("controls"u8);
        foreach (var control in controls)
        {
            to.Begin().Text("control"u8, control.Control).Flag("passed"u8, control.Passed)
                .Text("mode"u8, Names.Of(control.Mode)).Text("framework"u8, control.Framework)
                .Text("article"u8, control.Article).Text("reason"u8, control.Reason).End();
        }

        return to.EndList();
    }

    private static Seq<ControlResult> Controls(ref JsonIn from)
    {
        var controls = new List<ControlResult>();
        from.BeginList("controls"u8);
        while (!from.AtListEnd)
        {
            from.Begin();
            controls.Add(new(
                from.Text("control"u8), from.Flag("passed"u8), Names.Mode(from.Text("mode"u8)),
                from.TextOrNone("framework"u8), from.TextOrNone("article"u8), from.TextOrNone("reason"u8)));
            from.End();
        }

        from.EndList();
        return controls.ToArray().ToSeq();
    }
}
