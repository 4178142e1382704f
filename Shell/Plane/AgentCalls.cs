using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Shell.Api;
using Agent.Shell.Observability;
using Agent.Shell.Pki;
using Agent.Shell.Uplink;
using LanguageExt;

namespace Agent.Shell.Plane;

/// <summary>What hosts ask and tell. An event is answered only once it is durable and stepped.</summary>
internal sealed class AgentCalls(PlaneParts parts)
{
    // A steady host is written down this often, so that a plane that starts again knows it was alive.
    private static readonly TimeSpan SteadyEvery = TimeSpan.FromMinutes(10);

    private const int LongestText = 256;

    // As a host bounds its own: so many channels, and so many rollouts of which it may say where they stand.
    private const int MostRunning = 32;
    private const int MostMarks = 64;

    /// <summary>Work for this host, as soon as there is some; 204 when the wait is over.</summary>
    public async Task<Answer> DispatchAsync(Call call, Caller.Host host)
    {
        if (!call.TryNumber("wait", 0, (long)Protocol.LongestWait.TotalSeconds, out var seconds))
        {
            return Answer.Invalid("wait", $"seconds, from 0 to {Protocol.LongestWait.TotalSeconds}");
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(call.Stop);
        limit.CancelAfter(TimeSpan.FromSeconds(seconds ?? 0));
        using var ticket = parts.Bell.Wait(host.Name);
        do
        {
            // A host that is shut out while it waits is told so at once.
            parts.Door.Judge(host);
            if (Offer(host.Name) is { } offer) return offer;
            try
            {
                await ticket.RungAsync(limit.Token);
            }
            catch (OperationCanceledException) when (!call.Stop.IsCancellationRequested)
            {
                return Answer.Nothing;
            }
        }
        while (ticket.TryStay());

        return Answer.Nothing;
    }

    /// <summary>What happened to this host's rollouts: one verdict for each, in order.</summary>
    public async Task<Answer> EventsAsync(Call call, Caller.Host host)
    {
        var (body, refused) = await call.ReadAsync();
        if (refused is not null) return refused;
        var (tellings, fault) = Tellings.Read(body.Span);
        if (tellings is null) return Answer.Invalid("tellings", fault!);
        var large = tellings.Select(one => IsTooLarge(host.Name, one.Telling, one.Bytes)).ToList();
        var kept = tellings.Where((_, i) => !large[i]).Select(one => one.Telling).ToArray().ToSeq();
        var decision = await parts.Loop.AskAsync(new PlaneEvent.Told(host.Name, kept), call.Stop);
        if (decision.Refusal is { } refusal) return Answer.Refuse(refusal);
        using var verdicts = VerdictsIn(decision.Effects).GetEnumerator();
        return Answer.Json(
            new([.. large.Select(isLarge => isLarge || !verdicts.MoveNext() ? TooLarge : verdicts.Current)]),
            PlaneAnswers.Default.EventsAnswer);
    }

    public async Task<Answer> HeartbeatAsync(Call call, Caller.Host host)
    {
        var (beat, refused) = await call.ReadAsync(PlaneRequests.Default.HeartbeatRequest);
        if (beat is null) return refused!;
        var (report, fault) = ReportOf(beat, parts.Loop.Now);
        if (report is null) return fault!;
        var state = parts.Loop.Current.State;
        if (IsSteady(state, host.Name, report)) return Answer.Json(new([]), PlaneAnswers.Default.HeartbeatAnswer);
        var decision = await parts.Loop.AskAsync(new PlaneEvent.Heartbeat(host.Name, report), call.Stop);
        if (decision.Refusal is { } refusal) return Answer.Refuse(refusal);
        var replays = VerdictsIn(decision.Effects).Select(verdict => verdict.Replay).OfType<ReplayInfo>().ToArray();
        return Answer.Json(new(replays), PlaneAnswers.Default.HeartbeatAnswer);
    }

    /// <summary>The next trust file, signed by its roots; 204 where there is none.</summary>
    public Task<Answer> TrustAsync(Call call, Caller.Host host)
    {
        if (!call.TryNumber("after", 1, long.MaxValue - 1, out var after) || after is not { } version)
        {
            return Task.FromResult(Answer.Invalid("after", "the version of the trust file that is held"));
        }

        return Task.FromResult(parts.Published.TrustAfter(version) is { } next
            ? Answer.Json(new(next.Document, next.Signatures), PlaneAnswers.Default.SignedInfo)
            : Answer.Nothing);
    }

    /// <summary>An archive by its digest. It is no secret among the hosts of a fleet, and what counts is who signed it.</summary>
    public Task<Answer> ReleaseAsync(Call call, Caller.Host host)
    {
        var sha256 = call.Value("sha256");
        if (!IsDigest(sha256) || parts.Published.Archive(sha256) is not { } path)
        {
            return Task.FromResult(Answer.Refuse(PlaneErrors.NoSuchRelease, $"this plane has no archive {sha256}"));
        }

        return Task.FromResult<Answer>(new Answer.Streamed("application/octet-stream", [], async (to, stop) =>
        {
            await using var file = File.OpenRead(path);
            await file.CopyToAsync(to, stop);
        }));
    }

    private static VerdictInfo TooLarge { get; } = Show(new Verdict.Refused(
        ErrorCode.InvalidInput, $"it takes more than {Tellings.MostBytesOfOne} bytes beside the order of a published rollout"));

    /// <summary>A rollout that soaks names its probes twice: in its order, and with what each of them has shown.</summary>
    private bool IsTooLarge(HostName host, Telling telling, long bytes)
    {
        if (bytes <= Tellings.MostBytesOfOne) return false;
        var id = telling switch
        {
            Telling.Happened(var about, _, _, _) => about,
            Telling.Stands(var whole) => whole.Profile.Order.Id,
            Telling.Refused(var about, _, _) => about,
        };
        if (!parts.Loop.Current.State.Rollouts.Find(id).Bind(rollout => rollout.Order.For(host)).TryGet(out var order)) return true;
        var ordered = Tellings.Write([new Telling.Stands(RolloutMachine.Create(order, parts.Loop.Now))]).Length;
        return bytes > Tellings.MostBytesOfOne + (2L * ordered);
    }

    public static bool IsDigest(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigitLower);

    private Answer? Offer(HostName host)
    {
        if (!PlaneMachine.OfferFor(parts.Loop.Current.State, host).TryGet(out var id)) return null;
        if (parts.Published.Find(id) is not { } published || !published.Order.For(host).TryGet(out var order))
        {
            Log.Warn("a rollout is to be offered and its manifest is not in the published directory", ("rollout", id));
            return null;
        }

        try
        {
            var manifest = PublishedStore.Manifest(published);
            var release = PublishedStore.Release(published, order.Target);
            return Answer.Json(
                new(id.Value, manifest.Document, manifest.Signatures, release?.Document, release?.Signatures),
                PlaneAnswers.Default.DispatchInfo);
        }
        catch (IOException failure)
        {
            Log.Warn("a published manifest cannot be read", ("rollout", id), ("failure", failure.Message));
            return null;
        }
    }

    /// <summary>Answered from the published state, without an event.</summary>
    private static bool IsSteady(PlaneState state, HostName name, HostReport report) =>
        state.Hosts.Find(name).TryGet(out var host) && host.Knows(report)
        && host.Report.Exists(known => report.At - known.At <= SteadyEvery);

    private static (HostReport? Report, Answer? Fault) ReportOf(HeartbeatRequest beat, Instant now)
    {
        if (beat.BootId.Length > LongestText) return (null, Answer.Invalid("bootId", "is too long"));
        if (beat.Version.Length > LongestText) return (null, Answer.Invalid("version", "is too long"));
        if (beat.Running.Count > MostRunning) return (null, Answer.Invalid("running", $"has more than {MostRunning} releases"));
        if (beat.Rollouts.Count > MostMarks) return (null, Answer.Invalid("rollouts", $"has more than {MostMarks} rollouts"));
        var running = new List<RunningRelease>();
        foreach (var one in beat.Running)
        {
            if (one is null) return (null, Answer.Invalid("running", "has a null in it"));
            if (!ChannelName.Parse(one.Channel).TryGet(out var channel)) return (null, Answer.Invalid("running.channel", $"\"{one.Channel}\" is no channel"));
            if (!ReleaseId.Parse(one.Release).TryGet(out var release)) return (null, Answer.Invalid("running.release", $"\"{one.Release}\" is no release"));
            running.Add(new(channel, release));
        }

        var marks = new List<RolloutMark>();
        foreach (var one in beat.Rollouts)
        {
            if (one is null) return (null, Answer.Invalid("rollouts", "has a null in it"));
            if (!RolloutId.Parse(one.Id).TryGet(out var id)) return (null, Answer.Invalid("rollouts.id", $"\"{one.Id}\" is no rollout"));
            if (marks.Exists(mark => mark.Id == id)) return (null, Answer.Invalid("rollouts.id", $"{id} is there twice"));
            marks.Add(new(id, one.Seq));
        }

        return (new(now, new BootId(beat.BootId), beat.Version, running.ToArray().ToSeq(), marks.ToArray().ToSeq()), null);
    }

    private static List<VerdictInfo> VerdictsIn(Seq<PlaneEffect> effects)
    {
        var verdicts = new List<VerdictInfo>();
        foreach (var effect in effects)
        {
            if (effect is not PlaneEffect.Answer(_, var given)) continue;
            foreach (var verdict in given) verdicts.Add(Show(verdict));
        }

        return verdicts;
    }

    private static VerdictInfo Show(Verdict verdict) => verdict switch
    {
        Verdict.Accepted => new(200),
        Verdict.Seen => new(208),
        Verdict.Replay(var id, var from) => new(416, Replay: new(id.Value, from)),
        Verdict.Refused(var code, var detail) => new(409, ErrorNames.Of(code).Code, detail),
    };
}
