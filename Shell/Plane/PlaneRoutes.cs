using System;
using System.Collections.Generic;
using System.Globalization;
using System.Threading.Tasks;
using Agent.Shell.Api;
using Agent.Shell.Pki;
using Agent.Shell.Uplink;

namespace Agent.Shell.Plane;

/// <summary>
/// The plane's calls, and who may make them: anybody (health, the authority, enrolment), a host, an operator. The
/// caller is judged by its certificate at each request.
/// </summary>
internal static class PlaneRoutes
{
    public static IReadOnlyList<Route> Of(PlaneParts parts)
    {
        var (enrol, agent, fleet) = (new EnrolCalls(parts), new AgentCalls(parts), new FleetCalls(parts));
        return
        [
            new("GET", "/healthz", call => Task.FromResult(FleetCalls.Health())),
            new("GET", PlaneConnections.AuthorityPath, call => Task.FromResult(enrol.Authority())),
            new("POST", Protocol.Enrol, Guarded(parts, enrol.EnrolAsync), SigningRequest.MaxLength * 2),
            new("POST", Protocol.Renew, ForHost(parts, enrol.RenewAsync, holds: true), SigningRequest.MaxLength * 2),
            new("GET", Protocol.Dispatch, ForHost(parts, agent.DispatchAsync), 0, "wait"),
            new("POST", Protocol.Events, ForHost(parts, agent.EventsAsync, holds: true), Protocol.MaxEventsBytes),
            new("POST", Protocol.Heartbeat, ForHost(parts, agent.HeartbeatAsync, holds: true), Protocol.MaxHeartbeatBytes),
            new("GET", Protocol.Trust, ForHost(parts, agent.TrustAsync), 0, "after"),
            new("GET", Protocol.Releases + "{sha256}", ForHost(parts, agent.ReleaseAsync, holds: true)),
            new("GET", Protocol.Fleet, ForOperator(parts, fleet.ShowAsync)),
            new("GET", "/v1/fleet/watch", ForOperator(parts, fleet.WatchAsync)),
            new("GET", "/v1/fleet/explain/{host}", ForOperator(parts, fleet.ExplainAsync)),
            new("GET", "/v1/rollouts/{id}", ForOperator(parts, fleet.RolloutAsync)),
            new("POST", "/v1/fleet/tokens", ForOperator(parts, fleet.TokenAsync), 4096),
            new("POST", "/v1/fleet/publish", ForOperator(parts, fleet.PublishAsync), 8 << 20),
            new("PUT", "/v1/fleet/archives/{sha256}", ForOperator(parts, fleet.ArchiveAsync)),
            new("POST", "/v1/fleet/channels/{channel}/halt", ForOperator(parts, fleet.HaltAsync)),
            new("POST", "/v1/fleet/channels/{channel}/resume", ForOperator(parts, fleet.ResumeAsync)),
            new("POST", "/v1/fleet/hosts/{host}/revoke", ForOperator(parts, fleet.RevokeAsync)),
            new("GET", "/v1/events", ForOperator(parts, fleet.EventsAsync), 0, "since", "follow"),
            new("GET", "/metrics", ForOperator(parts, call => Task.FromResult(fleet.Metrics()))),
        ];
    }

    /// <param name="holds">It takes memory or a file for as long as its caller likes: of those he has few at once.</param>
    private static Func<Call, Task<Answer>> ForHost(
        PlaneParts parts, Func<Call, Caller.Host, Task<Answer>> handle, bool holds = false) =>
        Guarded(parts, call =>
        {
            var host = parts.Door.Admit(call.Http.Features).RequireHost();
            parts.Seen.Note(host.Name);
            if (parts.Quotas.Take(host.Name) is { } wait) return Task.FromResult(TooMany(call, wait, "this host asks too often"));
            if (!holds) return handle(call, host);
            if (parts.Quotas.Enter(host.Name) is not { } place)
            {
                return Task.FromResult(TooMany(call, HostQuotas.Pause, "this host asks too much at once"));
            }

            call.Http.Response.RegisterForDispose(place);
            return handle(call, host);
        });

    public static Answer TooMany(Call call, TimeSpan wait, string why)
    {
        var seconds = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        call.Http.Response.Headers.RetryAfter = seconds;
        return Answer.Refuse(PlaneErrors.TooMany, $"{why}, wait {seconds} s");
    }

    private static Func<Call, Task<Answer>> ForOperator(PlaneParts parts, Func<Call, Task<Answer>> handle) =>
        Guarded(parts, call =>
        {
            _ = parts.Door.Admit(call.Http.Features).RequireOperator();
            return handle(call);
        });

    /// <summary>Who speaks another version is told so first; a refusal of a certificate or a token is an answer.</summary>
    private static Func<Call, Task<Answer>> Guarded(PlaneParts parts, Func<Call, Task<Answer>> handle) => async call =>
    {
        call.Http.Response.Headers[Protocol.VersionHeader] = Protocol.Version;
        var spoken = call.Http.Request.Headers[Protocol.VersionHeader];
        if (spoken != Protocol.Version)
        {
            return Answer.Refuse(
                PlaneErrors.Version, $"{Protocol.VersionHeader} is \"{spoken}\", this plane speaks {Protocol.Version}");
        }

        try
        {
            return await handle(call);
        }
        catch (PkiRefused refused)
        {
            var name = PkiFaults.NameOf(refused.Fault);
            return Answer.Refuse(new ErrorName(name, PkiFaults.StatusOf(refused.Fault), "You are not let in"), refused.Detail);
        }
    };
}

/// <summary>Refusals that only a plane has.</summary>
internal static class PlaneErrors
{
    public static readonly ErrorName TooMany = new("too-many-requests", 429, "Too many requests");
    public static readonly ErrorName Version = new("protocol-version", 400, "Another version of the protocol");
    public static readonly ErrorName NoSuchHost = new("no-such-host", 404, "There is no such host");
    public static readonly ErrorName NoSuchChannel = new("no-such-channel", 404, "There is no such channel");
    public static readonly ErrorName NoSuchRelease = new("no-such-release", 404, "There is no such release");
    public static readonly ErrorName Wrong = new("release-hash", 422, "These bytes are another release");

    public static ErrorName Refused(string code) => new(code, 422, "This manifest is refused");
}
