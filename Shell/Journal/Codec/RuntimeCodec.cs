using System.Collections.Generic;
using Agent.Core.Model;
using Agent.Core.Runtime;
using LanguageExt;
using Effect = Agent.Core.Runtime.RuntimeEffect;
using Event = Agent.Core.Runtime.RuntimeEvent;
using State = Agent.Core.Runtime.RuntimeState;

namespace Agent.Shell.Journal.Codec;

/// <summary>The written form of the runtime machine's events, effects and states.</summary>
internal static class RuntimeCodec
{
    public static JsonOut Write(JsonOut to, Event @event) => @event switch
    {
        Event.EnsureRequested => to.Begin("ensureRequested"u8).End(),
        Event.StopRequested => to.Begin("stopRequested"u8).End(),
        Event.StartProgressed e => Services(
            to.Begin("startProgressed"u8).Number("attempt"u8, e.Attempt), e.Services).End(),
        Event.StartCompleted e => Services(
            to.Begin("startCompleted"u8).Number("attempt"u8, e.Attempt).Text("endpoint"u8, e.Endpoint)
                .Text("message"u8, e.Message),
            e.Services).End(),
        Event.StartFailed e => Services(
            to.Begin("startFailed"u8).Number("attempt"u8, e.Attempt).Text("cause"u8, e.Cause), e.Services).End(),
        Event.DaemonExited e => Write(to.Begin("daemonExited"u8).Name("exit"u8), e.Exit).End(),
        Event.ProbePassed => to.Begin("probePassed"u8).End(),
        Event.ProbeFailed e => to.Begin("probeFailed"u8).Text("detail"u8, e.Detail).End(),
        Event.PolicyChanged => to.Begin("policyChanged"u8).End(),
        Event.Started => to.Begin("started"u8).End(),
        Event.DeadlineReached => to.Begin("deadlineReached"u8).End(),
    };

    public static Event ReadEvent(ref JsonIn from)
    {
        var type = from.BeginTyped();
        Event @event = type switch
        {
            "ensureRequested" => new Event.EnsureRequested(),
            "stopRequested" => new Event.StopRequested(),
            "startProgressed" => new Event.StartProgressed(from.Int("attempt"u8), Services(ref from)),
            "startCompleted" => new Event.StartCompleted(
                from.Int("attempt"u8), from.Text("endpoint"u8), from.Text("message"u8), Services(ref from)),
            "startFailed" => new Event.StartFailed(from.Int("attempt"u8), from.Text("cause"u8), Services(ref from)),
            "daemonExited" => new Event.DaemonExited(NamedExit(ref from)),
            "probePassed" => new Event.ProbePassed(),
            "probeFailed" => new Event.ProbeFailed(from.Text("detail"u8)),
            "policyChanged" => new Event.PolicyChanged(),
            "started" => new Event.Started(),
            "deadlineReached" => new Event.DeadlineReached(),
            _ => throw new UnknownRecordException($"runtime event \"{type}\"", from.Consumed),
        };
        from.End();
        return @event;
    }

    public static JsonOut Write(JsonOut to, Effect effect) => effect switch
    {
        Effect.StartRuntime e => to.Begin("startRuntime"u8).Number("attempt"u8, e.Attempt).At("until"u8, e.Until).End(),
        Effect.StopDaemons e => to.Begin("stopDaemons"u8).Texts("daemons"u8, e.Daemons).End(),
        Effect.Reject e => to.Begin("runtimeReject"u8).Text("code"u8, Names.Of(e.Code)).Text("reason"u8, e.Reason).End(),
    };

    public static JsonOut Write(JsonOut to, State state) => state switch
    {
        State.NotStarted s => History(to.Begin("notStarted"u8).Flag("held"u8, s.Held), s.History).End(),
        State.Starting s => History(
            Services(to.Begin("starting"u8).At("since"u8, s.Since).At("until"u8, s.Until), s.Services), s.History).End(),
        State.Ready s => History(
            Services(
                to.Begin("ready"u8).Text("endpoint"u8, s.Endpoint).Text("message"u8, s.Message).At("since"u8, s.Since)
                    .Number("misses"u8, s.Misses),
                s.Services),
            s.History).End(),
        State.Degraded s => History(
            Services(
                Write(to.Begin("degraded"u8).Text("endpoint"u8, s.Endpoint).Name("cause"u8), s.Cause)
                    .At("retryAt"u8, s.RetryAt),
                s.Services),
            s.History).End(),
        State.Failed s => History(
            Services(Write(to.Begin("failed"u8).Name("cause"u8), s.Cause).At("retryAt"u8, s.RetryAt), s.Services),
            s.History).End(),
    };

    public static State ReadState(ref JsonIn from)
    {
        var type = from.BeginTyped();
        State state = type switch
        {
            "notStarted" => new State.NotStarted(from.Flag("held"u8), History(ref from)),
            "starting" => new State.Starting(
                from.At("since"u8), from.At("until"u8), Services(ref from), History(ref from)),
            "ready" => new State.Ready(
                from.Text("endpoint"u8), from.Text("message"u8), from.At("since"u8), from.Int("misses"u8),
                Services(ref from), History(ref from)),
            "degraded" => new State.Degraded(
                from.Text("endpoint"u8), NamedFailure(ref from), from.AtOrNone("retryAt"u8), Services(ref from),
                History(ref from)),
            "failed" => new State.Failed(
                NamedFailure(ref from), from.AtOrNone("retryAt"u8), Services(ref from), History(ref from)),
            _ => throw new UnknownRecordException($"runtime state \"{type}\"", from.Consumed),
        };
        from.End();
        return state;
    }

    private static JsonOut History(JsonOut to, RuntimeHistory history) =>
        to.Name("history"u8).Begin().Number("attempt"u8, history.Attempt)
            .Instants("restarts"u8, history.Restarts).Optional("lastFailure"u8, history.LastFailure, Write).End();

    private static RuntimeHistory History(ref JsonIn from)
    {
        from.Name("history"u8);
        from.Begin();
        var history = new RuntimeHistory(
            from.Int("attempt"u8), from.Instants("restarts"u8), from.Optional("lastFailure"u8, ReadFailure));
        from.End();
        return history;
    }

    private static JsonOut Write(JsonOut to, RuntimeFailure failure) =>
        to.Begin().Number("attempt"u8, failure.Attempt).At("at"u8, failure.At).Text("cause"u8, failure.Cause)
            .Optional("exit"u8, failure.Exit, Write).Flag("circuitOpen"u8, failure.CircuitOpen).End();

    private static RuntimeFailure NamedFailure(ref JsonIn from)
    {
        from.Name("cause"u8);
        return ReadFailure(ref from);
    }

    private static RuntimeFailure ReadFailure(ref JsonIn from)
    {
        from.Begin();
        var attempt = from.Int("attempt"u8);
        var at = from.At("at"u8);
        var cause = from.Text("cause"u8);
        var exit = from.Optional("exit"u8, ReadExit);
        var failure = new RuntimeFailure(attempt, at, cause, exit, from.Flag("circuitOpen"u8));
        from.End();
        return failure;
    }

    private static JsonOut Write(JsonOut to, DaemonExit exit) => ExitCodec.Write(
        to.Begin().Text("daemon"u8, exit.Daemon).Name("status"u8), exit.Status).Texts("logTail"u8, exit.LogTail).End();

    private static DaemonExit NamedExit(ref JsonIn from)
    {
        from.Name("exit"u8);
        return ReadExit(ref from);
    }

    private static DaemonExit ReadExit(ref JsonIn from)
    {
        from.Begin();
        var exit = new DaemonExit(from.Text("daemon"u8), ExitCodec.NamedStatus(ref from), from.Texts("logTail"u8));
        from.End();
        return exit;
    }

    private static JsonOut Services(JsonOut to, Seq<ServiceStatus> services)
    {
        to.BeginList("services"u8);
        foreach (var service in services)
        {
            to.Begin().Text("name"u8, service.Name).Text("health"u8, Names.Of(service.Health))
                .Text("detail"u8, service.Detail).NumberOrNull("pid"u8, service.Pid).Flag("owned"u8, service.Owned).End();
        }

        return to.EndList();
    }

    private static Seq<ServiceStatus> Services(ref JsonIn from)
    {
        var services = new List<ServiceStatus>();
        from.BeginList("services"u8);
        while (!from.AtListEnd)
        {
            from.Begin();
            services.Add(new(
                from.Text("name"u8), Names.Health(from.Text("health"u8)), from.Text("detail"u8), from.IntOrNone("pid"u8),
                from.Flag("owned"u8)));
            from.End();
        }

        from.EndList();
        return services.ToArray().ToSeq();
    }
}
