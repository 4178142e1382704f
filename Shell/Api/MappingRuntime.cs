using System.Collections.Generic;
using System.Linq;
using Agent.Core.Model;
using Agent.Core.Runtime;
using Agent.Core.Time;
using LanguageExt;
using State = Agent.Core.Runtime.RuntimeState;

namespace Agent.Shell.Api;

/// <summary>The runtime's state as the wire shows it.</summary>
internal static class MappingRuntime
{
    public static RuntimeInfo Of(State state) => state switch
    {
        State.NotStarted s => Info("notStarted", s, message: s.Held ? "stopped by its user" : null),
        State.Starting s => Info("starting", s, since: s.Since, services: s.Services),
        State.Ready s => Info("ready", s, s.Endpoint, s.Message, s.Since, services: s.Services),
        State.Degraded s => Info("degraded", s, s.Endpoint, s.Cause.Cause, retryAt: s.RetryAt, services: s.Services),
        State.Failed s => Info("failed", s, message: s.Cause.Cause, retryAt: s.RetryAt, services: s.Services),
    };

    private static RuntimeInfo Info(
        string name,
        State state,
        string? endpoint = null,
        string? message = null,
        Instant? since = null,
        Option<Instant> retryAt = default,
        Seq<ServiceStatus> services = default) => new(
        name,
        state.History.Attempt,
        endpoint,
        message,
        state.History.LastFailure.TryGet(out var failure) ? Cause(failure) : null,
        retryAt.TryGet(out var at) ? at.ToString() : null,
        since?.ToString(),
        [.. services.Select(Service)]);

    private static RuntimeCause Cause(RuntimeFailure failure)
    {
        var exit = failure.Exit.TryGet(out var daemon) ? daemon : null;
        IReadOnlyList<string> tail = exit is null ? [] : [.. exit.LogTail];
        return new(
            failure.Attempt,
            failure.At.ToString(),
            failure.Cause,
            exit?.Daemon,
            exit?.Status is ExitStatus.Exited(var code) ? code : null,
            exit?.Status is ExitStatus.Signaled(var number) ? number : null,
            tail,
            failure.CircuitOpen);
    }

    private static ServiceInfo Service(ServiceStatus service) => new(
        service.Name,
        WireNames.Of(service.Health),
        service.Detail,
        service.Pid.TryGet(out var pid) ? pid : null,
        service.Owned);
}
