using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Plane;
using Agent.Core.Rollout;
using Agent.Shell.Activators;
using Agent.Shell.Api;
using Agent.Shell.Linux;
using Agent.Shell.Loop;
using Agent.Shell.Manifests;
using Agent.Shell.Observability;
using Agent.Shell.Pki;
using Agent.Shell.Trust;

namespace Agent.Shell.Uplink;

/// <summary>
/// One turn of each watch on the plane: the question for work, the heartbeat, the trust file, the certificate. A turn
/// that fails is told of once and followed by the next; nothing here can hold up the host.
/// </summary>
internal sealed class UplinkWatch(
    IHost host, PlaneLink link, IRolloutIntake intake, IReadOnlyDictionary<ActivatorKind, IActivator> activators,
    string downloads, Func<string> trustFile)
{
    /// <summary>A certificate lives for weeks; a minute is soon enough after half of that.</summary>
    public static TimeSpan CertificateEvery => TimeSpan.FromMinutes(1);

    // A plane that just failed is asked again soon, then ever less often; hosts that failed together spread out.
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    // The plane learns from the outbox that an order was taken; asked again before that, it would offer it again.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);

    private int _fruitless;
    private bool _away;

    /// <summary>
    /// Asks for work and waits as long as the plane does; what comes is verified like any manifest. A turn of no use is
    /// followed by a pause, whatever the plane does: it cannot keep a host busy with nothing.
    /// </summary>
    public async Task DispatchAsync(CancellationToken stop)
    {
        var attached = link.NextAttachment;
        var useful = await TurnAsync("asking for work", () => AskAsync(stop), stop);
        _fruitless = useful ? 0 : _fruitless + 1;
        if (useful) return;

        // Enrolled anew or with another plane, it does not wait for what the old one failed at.
        await attached.WaitAsync(Pause(_fruitless - 1), stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.ThrowIfCancellationRequested();
    }

    /// <summary>Says that this host lives and where it stands; the answer says what the plane lacks.</summary>
    public Task HeartbeatAsync(CancellationToken stop) => TurnAsync("the heartbeat", async () =>
    {
        await BeatAsync(stop);
        return true;
    }, stop);

    /// <summary>A new certificate with a new key once half of the old one's life is over.</summary>
    public Task RenewAsync(CancellationToken stop) => TurnAsync("renewing the certificate", async () =>
    {
        var identity = link.Identity;
        if (identity.Current is not { } current || link.Now < current.RenewAt) return true;
        var answer = await link.Client.PostAsync(
            Protocol.Renew, new RenewRequest(identity.Request(current.Host)), PlaneRequests.Default.RenewRequest,
            PlaneAnswers.Default.CertificateAnswer, stop);
        link.Heard();
        var next = identity.Accept(answer.Certificate, current.Host, link.Now);
        Log.Info("the certificate was renewed", ("until", next.NotAfter));
        return true;
    }, stop);

    /// <summary>The next link of the chain of trust files, if the plane has one. It must be signed as ours demands.</summary>
    public Task ManifestsAsync(CancellationToken stop) => TurnAsync("the trust file", async () =>
    {
        var path = trustFile();
        if (VerifiedBundle.Trust(path).Failed(out var held, out _)) return true;
        var next = await link.Client.GetAsync(
            $"{Protocol.Trust}?after={held.Version}", PlaneAnswers.Default.SignedInfo, Protocol.MaxDispatchBytes,
            PlaneClient.Patience, stop);
        link.Heard();
        if (next is null) return true;
        if (TrustUpdate.Check(held, next.Document.Span, next.Signatures.Span).Failed(out var followed, out var refusal))
        {
            throw new PlaneFailure(FailureKind.Refused, "trust", $"its trust file is refused: {refusal}");
        }

        SignedFile.Install(path, next.Document.ToArray(), next.Signatures.ToArray());
        Log.Info("the next trust file holds", ("version", followed.Version));
        return true;
    }, stop);

    private static string ProductVersion => Boot.ProductVersion.Text;

    private async Task BeatAsync(CancellationToken stop)
    {
        var state = host.Current.State;
        var marks = state.Rollouts.All.Values
            .Select(rollout => new MarkInfo(rollout.Profile.Order.Id.Value, rollout.Profile.Seq)).ToArray();
        var beat = new HeartbeatRequest(state.Boot.Value, ProductVersion, await RunningAsync(state, stop), marks);
        var answer = await link.Client.PostAsync(
            Protocol.Heartbeat, beat, PlaneRequests.Default.HeartbeatRequest, PlaneAnswers.Default.HeartbeatAnswer, stop);
        link.Heard();
        foreach (var replay in answer.Replay.Take(Rollouts.MaxChannels + Rollouts.DecidedKept))
        {
            if (replay is null || !RolloutId.Parse(replay.Rollout).TryGet(out var id)) continue;
            await host.PostAsync(new HostEvent.Outbox(new OutboxEvent.ReplayRequested(id, replay.From)), stop);
        }
    }

    /// <summary>
    /// A plane that was away may have lost all it knew, and the next heartbeat is a minute off: it hears at once where
    /// this host stands, and what waits in the outbox goes to it now.
    /// </summary>
    private async Task ReturnAsync(CancellationToken stop)
    {
        await BeatAsync(stop);
        if (host.Current.State.Outbox is not OutboxState.Waiting) return;
        await host.PostAsync(new HostEvent.Outbox(new OutboxEvent.FlushRequested()), stop);
    }

    /// <summary>True where it was of use: work came and was taken, or the plane held the question.</summary>
    private async Task<bool> AskAsync(CancellationToken stop)
    {
        // Until it answers it is away. The first question after that is answered at once: so it is soon known that the
        // way is free again.
        var returns = _away;
        _away = true;
        if (returns) await ReturnAsync(stop);
        var offer = returns ? await QuestionAsync(TimeSpan.Zero, stop) : null;
        var asked = Stopwatch.GetTimestamp();
        offer ??= await QuestionAsync(Protocol.LongestWait, stop);
        _away = false;
        return offer is null ? Stopwatch.GetElapsedTime(asked) >= FirstPause : await TakeAsync(offer, stop);
    }

    private async Task<DispatchInfo?> QuestionAsync(TimeSpan wait, CancellationToken stop)
    {
        var offer = await link.Client.GetAsync(
            $"{Protocol.Dispatch}?wait={(int)wait.TotalSeconds}", PlaneAnswers.Default.DispatchInfo,
            Protocol.MaxDispatchBytes, wait + PlaneClient.Patience, stop);
        link.Heard();
        return offer;
    }

    private async Task<bool> TakeAsync(DispatchInfo offer, CancellationToken stop)
    {
        var bundle = new Bundle(offer.Manifest, offer.Signatures, offer.Release, offer.ReleaseSignatures, null)
        {
            Fetch = FetchAsync,
        };
        var result = await intake.TakeAsync(bundle, Principal.Root, stop);
        await (result switch
        {
            IntakeResult.Taken(var id) => Taken(id),

            // The plane would not offer it if it knew that.
            IntakeResult.Known(var id) =>
                host.PostAsync(new HostEvent.Outbox(new OutboxEvent.ReplayRequested(id, OutboxMachine.AsAWhole)), stop).AsTask(),
            IntakeResult.Refused(var code, var detail) => DeclineAsync(offer, code, detail, stop),
        });
        await SettledAsync(stop);
        return result is IntakeResult.Taken;
    }

    private static Task Taken(RolloutId id)
    {
        Log.Info("the plane offered a rollout and it was taken", ("rollout", id));
        return Task.CompletedTask;
    }

    /// <summary>Told once and not kept: an offer that comes again is declined again.</summary>
    private async Task DeclineAsync(DispatchInfo offer, string code, string detail, CancellationToken stop)
    {
        Log.Warn("what the plane offers is refused", ("rollout", offer.Rollout), ("code", code), ("detail", detail));
        if (!RolloutId.Parse(offer.Rollout).TryGet(out var id)) return;
        var told = Tellings.Write([new Telling.Refused(id, code, detail)]);
        await link.Client.PostAsync(Protocol.Events, told, PlaneAnswers.Default.EventsAnswer, stop);
    }

    /// <summary>The archive, in a file of its own; it is judged by whoever asked for it.</summary>
    private async Task<string> FetchAsync(string sha256, long length, CancellationToken stop)
    {
        Directory.CreateDirectory(downloads, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var path = Path.Combine(downloads, sha256);
        try
        {
            await using var file = File.Create(path);
            await link.Client.DownloadAsync(Protocol.Releases + sha256, file, length, stop);
            return path;
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    private async Task SettledAsync(CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Settling);
        try
        {
            await host.WhenAsync(published => published.State.Outbox is not OutboxState.Sending, limit.Token);
            await Task.Delay(TimeSpan.FromMilliseconds(200), limit.Token);
            await host.WhenAsync(published => published.State.Outbox is OutboxState.Idle, limit.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // The plane does not take events just now; it may offer again, which is harmless.
        }
    }

    private async Task<IReadOnlyList<RunningInfo>> RunningAsync(HostState state, CancellationToken stop)
    {
        var running = new List<RunningInfo>();
        foreach (var newest in state.Rollouts.All.Values.GroupBy(rollout => rollout.Profile.Order.Channel)
            .Select(channel => channel.MaxBy(rollout => rollout.Profile.Order.Version)!.Profile.Order))
        {
            if (!activators.TryGetValue(newest.Activator, out var activator)) continue;
            if (await activator.RunningAsync(newest.Channel, stop) is not { } release) continue;
            running.Add(new(newest.Channel.Value, release.Value));
        }

        return running;
    }

    /// <summary>
    /// What goes wrong in a turn is told and ends that turn alone; what nobody foresaw, with all that is known of it.
    /// </summary>
    [SuppressMessage("Design", "CA1031", Justification = "a watch goes on whatever one turn met")]
    private async Task<bool> TurnAsync(string errand, Func<Task<bool>> turn, CancellationToken stop)
    {
        try
        {
            var useful = await turn();
            link.Well(errand);
            return useful;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception failure)
        {
            var isForeseen = failure is PlaneFailure or PkiRefused or FileFailure or IOException or UnauthorizedAccessException;
            if (link.Failed(errand, failure.Message))
            {
                Log.Warn("the plane", ("at", errand), ("failure", isForeseen ? failure.Message : failure));
            }

            return false;
        }
    }

    private static TimeSpan Pause(int failures)
    {
        var pause = FirstPause * Math.Pow(2, Math.Min(failures, 10));
        if (pause > LongestPause) pause = LongestPause;
        return pause * (0.5 + (RandomNumberGenerator.GetInt32(1001) / 2000.0));
    }
}
