using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Shell.Api;
using Agent.Shell.Manifests;
using Agent.Shell.Pki;
using Agent.Shell.Trust;
using Agent.Shell.Uplink;
using Microsoft.AspNetCore.Http;

namespace Agent.Shell.Plane;

/// <summary>What operators look at and ask for.</summary>
internal sealed class FleetCalls(PlaneParts parts)
{
    private static readonly TimeSpan TokenLife = TimeSpan.FromHours(24);
    private static readonly TimeSpan LongestTokenLife = TimeSpan.FromDays(30);

    // A screen that is drawn more often is not read.
    private static readonly TimeSpan WatchPace = TimeSpan.FromMilliseconds(200);

    // What fits on a screen; all of them are a list's matter.
    private const int WatchedHosts = 60;

    private static readonly ReadOnlyMemory<byte> Newline = "\n"u8.ToArray();

    public static Answer Health() => new Answer.Content(StatusCodes.Status200OK, "text/plain", "ok\n"u8.ToArray(), []);

    public Task<Answer> ShowAsync(Call call) => Task.FromResult(Answer.Json(Fleet(int.MaxValue), PlaneAnswers.Default.FleetInfo));

    /// <summary>The fleet as a line at once, then one for each change.</summary>
    public Task<Answer> WatchAsync(Call call) => Task.FromResult(Answer.Lines(async (body, stop) =>
    {
        while (IsWelcome(call))
        {
            var seq = parts.Loop.Current.Seq;
            await JsonSerializer.SerializeAsync(body, Fleet(WatchedHosts), PlaneAnswers.Default.FleetInfo, stop);
            await body.WriteAsync(Newline, stop);
            await body.FlushAsync(stop);
            await parts.Loop.WhenAsync(published => published.Seq > seq, stop);
            await Task.Delay(WatchPace, stop);
        }
    }));

    public Task<Answer> RolloutAsync(Call call) => Task.FromResult(
        RolloutId.Parse(call.Value("id")).Bind(id => parts.Loop.Current.State.Rollouts.Find(id)).TryGet(out var rollout)
            ? Answer.Json(FleetView.Of(parts.Loop.Current.State, rollout), PlaneAnswers.Default.FleetRolloutInfo)
            : Answer.Refuse(ErrorNames.NoSuchRollout, $"no rollout {call.Value("id")}"));

    public Task<Answer> ExplainAsync(Call call)
    {
        var state = parts.Loop.Current.State;
        if (!HostName.Parse(call.Value("host")).TryGet(out var host)
            || !(state.Hosts.ContainsKey(host) || state.Rollouts.Values.Any(one => one.Order.Hosts.ContainsKey(host))))
        {
            return Task.FromResult(Answer.Refuse(PlaneErrors.NoSuchHost, $"no host {call.Value("host")}"));
        }

        return Task.FromResult(Answer.Json(
            FleetView.Of(state, host, parts.Seen, parts.Loop.Now), PlaneAnswers.Default.FleetHostInfo));
    }

    public async Task<Answer> TokenAsync(Call call)
    {
        var (request, refused) = await call.ReadAsync(PlaneRequests.Default.TokenRequest);
        if (request is null) return refused!;
        if (!HostName.Parse(request.Host).TryGet(out var host)) return Answer.Invalid("host", $"\"{request.Host}\" is no name of a host");
        var life = TimeSpan.FromMilliseconds(request.LifeMs ?? TokenLife.TotalMilliseconds);
        if (life <= TimeSpan.Zero || life > LongestTokenLife) return Answer.Invalid("lifeMs", $"at most {LongestTokenLife.TotalDays} days");
        var token = EnrolToken.New(parts.Authority.Fingerprint.Span);
        if (!TokenId.Parse(EnrolToken.HashOf(token.Secret)).TryGet(out var id)) throw new InvalidOperationException("a hash is no id");
        var expires = parts.Loop.Now + life;
        var decision = await parts.Loop.AskAsync(new PlaneEvent.TokenIssued(id, host, expires), call.Stop);
        return decision.Refusal is { } refusal
            ? Answer.Refuse(refusal)
            : Answer.Json(
                new(host.Value, token.Reveal(), expires.ToString()), PlaneAnswers.Default.TokenAnswer, StatusCodes.Status201Created);
    }

    /// <summary>An archive under its digest; asked again, it is there already.</summary>
    public async Task<Answer> ArchiveAsync(Call call)
    {
        var sha256 = call.Value("sha256");
        if (!AgentCalls.IsDigest(sha256)) return Answer.Invalid("sha256", "64 lower-case hexadecimal digits");
        return await parts.Published.PutArchiveAsync(sha256, call.Http.Request.Body, call.Stop) is { } fault
            ? Answer.Refuse(PlaneErrors.Wrong, fault)
            : Answer.Nothing;
    }

    /// <summary>Judged as a host will judge it, then written to the published directory, then offered.</summary>
    public async Task<Answer> PublishAsync(Call call)
    {
        var (request, refused) = await call.ReadAsync(PlaneRequests.Default.PublishRequest);
        if (request is null) return refused!;
        if (parts.Trust().Failed(out var trust, out var why)) return Refused(why);
        var manifest = new SignedDocument(request.Manifest.Document, request.Manifest.Signatures);
        if (PublishedStore.Judge(manifest, trust, parts.Wall.Now, fresh: true).Failed(out var order, out why)) return Refused(why);
        if (order.Fault.TryGet(out var fault)) return Answer.Refuse(PlaneErrors.Refused("bad-field"), fault);
        var releases = new List<(string Sha256, SignedDocument Release)>();
        foreach (var one in request.Releases)
        {
            if (VerifiedBundle.CheckRelease(one.Document.Span, one.Signatures.Span, trust, parts.Wall.Now).Failed(out var release, out why))
            {
                return Refused(why);
            }

            releases.Add((release.Sha256, new(one.Document, one.Signatures)));
        }

        if (Unserved(order, releases) is { } missing) return Answer.Refuse(PlaneErrors.NoSuchRelease, missing);
        parts.Published.Put(order, manifest, releases);
        var decision = await parts.Loop.AskAsync(new PlaneEvent.Published(order), call.Stop);
        if (decision.Refusal is { Code: not ErrorCode.Known } refusal) return Answer.Refuse(refusal);
        var state = parts.Loop.Current.State;
        return state.Rollouts.Find(order.Id).TryGet(out var rollout)
            ? Answer.Json(FleetView.Of(state, rollout), PlaneAnswers.Default.FleetRolloutInfo, StatusCodes.Status201Created)
            : Answer.Refuse(ErrorNames.NoSuchRollout, $"{order.Id} is no rollout of this plane any more");
    }

    public Task<Answer> HaltAsync(Call call) => AskOfChannelAsync(call, channel => new PlaneEvent.HaltRequested(channel));

    public Task<Answer> ResumeAsync(Call call) => AskOfChannelAsync(call, channel => new PlaneEvent.ResumeRequested(channel));

    public async Task<Answer> RevokeAsync(Call call)
    {
        if (!HostName.Parse(call.Value("host")).TryGet(out var host)) return Answer.Refuse(PlaneErrors.NoSuchHost, $"no host {call.Value("host")}");
        var decision = await parts.Loop.AskAsync(new PlaneEvent.HostRevoked(host), call.Stop);
        return decision.Refusal is { } refusal ? Answer.Refuse(refusal) : Answer.Nothing;
    }

    public Task<Answer> EventsAsync(Call call)
    {
        if (!call.TryNumber("since", 0, long.MaxValue, out var since)) return Task.FromResult(Answer.Invalid("since", "a whole number from 0"));
        if (!call.TryFlag("follow", out var follow)) return Task.FromResult(Answer.Invalid("follow", "true or false"));
        return Task.FromResult(Answer.Lines(async (body, stop) =>
        {
            await foreach (var record in parts.Records.ReadAsync(since ?? 0, follow, stop))
            {
                if (!IsWelcome(call)) return;
                await body.WriteAsync(record, stop);
                await body.WriteAsync(Newline, stop);
                if (follow) await body.FlushAsync(stop);
            }
        }));
    }

    public Answer Metrics()
    {
        var current = parts.Loop.Current;
        var (hosts, now) = (FleetView.Names(current.State), parts.Loop.Now);
        var online = hosts.Count(host => parts.Seen.Of(host) is { } at && now - at <= FleetView.SilentAfter);
        var text = new MetricsText()
            .Gauge("agent_plane_hosts", "Known hosts.", hosts.Count)
            .Gauge("agent_plane_hosts_online", "Hosts heard within the last two heartbeats.", online)
            .Gauge("agent_plane_waiting", "Hosts that wait for work.", parts.Bell.Waiting)
            .Gauge("agent_plane_rollouts_active", "Rollouts under way.", current.State.Rollouts.Values.Count(one => one.Phase is FleetPhase.Active))
            .Gauge("agent_plane_quarantined", "Releases in quarantine.", current.State.Channels.Values.Sum(one => one.Quarantine.Count))
            .Gauge("agent_plane_journal_seq", "The newest durable record.", current.Seq)
            .Counter("agent_plane_requests_total", "Requests taken.", parts.Counters.Requests)
            .Counter("agent_plane_refusals_total", "Requests answered with an error.", parts.Counters.Refusals)
            .Counter("agent_plane_failed_handshakes_total", "Connections that came to nothing.", parts.Door.FailedHandshakes);
        return new Answer.Content(StatusCodes.Status200OK, "text/plain; version=0.0.4", text.ToBytes(), []);
    }

    /// <summary>What is followed ends with the certificate of who follows it.</summary>
    private bool IsWelcome(Call call)
    {
        try
        {
            return parts.Door.Admit(call.Http.Features) is Caller.Operator;
        }
        catch (PkiRefused)
        {
            return false;
        }
    }

    private FleetInfo Fleet(int mostHosts)
    {
        var current = parts.Loop.Current;
        var hosts = FleetView.Names(current.State);
        return new(
            parts.Version, current.Seq, FleetView.Channels(current.State), FleetView.Rollouts(current.State), hosts.Count,
            [.. hosts.Take(mostHosts).Select(name => FleetView.Of(current.State, name, parts.Seen, parts.Loop.Now))]);
    }

    private async Task<Answer> AskOfChannelAsync(Call call, Func<ChannelName, PlaneEvent> ask)
    {
        if (!ChannelName.Parse(call.Value("channel")).TryGet(out var channel)) return Answer.Refuse(PlaneErrors.NoSuchChannel, $"no channel {call.Value("channel")}");
        var decision = await parts.Loop.AskAsync(ask(channel), call.Stop);
        return decision.Refusal is { } refusal ? Answer.Refuse(refusal) : Answer.Nothing;
    }

    /// <summary>What a host of the manifest could not be given.</summary>
    private string? Unserved(FleetOrder order, List<(string Sha256, SignedDocument Release)> releases)
    {
        foreach (var target in order.Hosts.Values.Select(row => row.Target).DistinctBy(target => target.Value))
        {
            if (!target.Value.StartsWith(ReleaseId.ArchivePrefix, StringComparison.Ordinal)) continue;
            var sha256 = target.Value[ReleaseId.ArchivePrefix.Length..];
            if (!releases.Exists(one => one.Sha256 == sha256)) return $"the signed descriptor of {target} is missing";
            if (parts.Published.Archive(sha256) is null) return $"the archive of {target} is not here; publish it with --release";
        }

        return null;
    }

    private static Answer Refused(Agent.Shell.Trust.Refusal why) =>
        Answer.Refuse(PlaneErrors.Refused(TrustFaults.NameOf(why.Fault)), why.Detail);
}
