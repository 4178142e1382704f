using System;
using System.IO;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Core.Time;
using Agent.Shell.Boot;
using Agent.Shell.Journal;
using Agent.Shell.Journal.Codec;
using Agent.Shell.Linux;
using Agent.Shell.Loop;
using Agent.Shell.Manifests;
using Agent.Shell.Observability;
using Agent.Shell.Pki;
using Agent.Shell.Sources;

namespace Agent.Shell.Plane;

/// <summary>Where a plane keeps its things.</summary>
/// <param name="StateDir">Its journal, and by default all the rest.</param>
/// <param name="AuthorityDir">The certificate authority: with it a plane whose state is lost is the same plane.</param>
/// <param name="Published">The signed documents it serves.</param>
/// <param name="Trust">The keys that publishers sign with.</param>
internal sealed record PlanePlaces(string StateDir, string AuthorityDir, string Published, string Trust)
{
    public string Journal => Path.Combine(StateDir, "journal");
}

/// <summary>One run of a plane: the agent's loop and journal over the plane's machine, and a door to the network.</summary>
internal sealed class PlaneRun : IAsyncDisposable
{
    private static readonly TimeSpan RescanEvery = TimeSpan.FromSeconds(30);

    private readonly PlanePlaces _places;
    private readonly CancellationTokenSource _ending = new();
    private readonly SystemdNotify _systemd = new();
    private readonly SemaphoreSlim _scanning = new(1, 1);
    private readonly Recorder<PlaneState, PlaneEvent, PlaneEffect> _recorder;
    private readonly EventLoop<PlaneState, PlaneEvent, PlaneEffect> _loop;
    private readonly Authority _authority;
    private readonly PublishedStore _published;
    private readonly PlaneServer _server;
    private readonly WallClock _wall;

    private PlaneRun(
        PlanePlaces places, IPEndPoint listen, Authority authority, Published<PlaneState> recovered, JournalWriter writer)
    {
        _places = places;
        _authority = authority;
        _published = new PublishedStore(places.Published);
        _recorder = new Recorder<PlaneState, PlaneEvent, PlaneEffect>(PlaneBinding.Instance, writer);
        var bell = new DispatchBell();
        _loop = new EventLoop<PlaneState, PlaneEvent, PlaneEffect>(
            PlaneBinding.Instance, recovered, new Clock(recovered.At), _recorder, new PlaneInterpreter(bell));
        _wall = new WallClock(() => _loop.Now);
        var door = new ServerDoor(authority, IsRevoked, () => _wall.Now);
        _server = new PlaneServer(listen, new PlaneParts(
            ProductVersion.Text, _loop, door, authority, _published, bell, new HostQuotas(() => _loop.Now),
            new LastSeen(() => _loop.Now),
            new RecordsForApi<PlaneState, PlaneEvent, PlaneEffect>(new(places.Journal, _loop)),
            () => VerifiedBundle.Trust(places.Trust), new Counters(), _wall));
    }

    /// <summary>
    /// Runs in the foreground. Exit codes: 0 ended as asked, 1 it cannot go on, 2 it is not set up.
    /// </summary>
    public static async Task<int> RunAsync(PlanePlaces places, IPEndPoint listen)
    {
        try
        {
            Directory.CreateDirectory(
                places.StateDir, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var (gate, holder) = StateLock.TryTake(places.StateDir);
            if (gate is null) return Refuse($"the plane with pid {holder} runs on {places.StateDir} already", 1);
            using (gate)
            {
                using var authority = Authority.Load(places.AuthorityDir, WallClock.Read());
                var (recovered, writer, notice) =
                    JournalRecovery.Open(PlaneBinding.Instance, places.Journal, JournalOptions.Default);
                if (notice is not null) Log.Warn($"the journal was recovered, {notice}");
                var run = new PlaneRun(places, listen, authority, recovered, writer);
                await using var disposed = run.ConfigureAwait(false);
                return await run.ServeAsync().ConfigureAwait(false);
            }
        }
        catch (PkiRefused refused)
        {
            return Refuse(refused.Message, 2);
        }
        catch (Exception failure) when (failure is JournalDamage or JournalFailure or UnknownRecordException
            or FileFailure or IOException or UnauthorizedAccessException)
        {
            return Refuse(failure.Message, 1);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await _server.DisposeAsync().ConfigureAwait(false);
        _loop.Dispose();
        _recorder.Dispose();
        _scanning.Dispose();
        _ending.Dispose();
    }

    private static int Refuse(string why, int code)
    {
        Log.Fail(why);
        return code;
    }

    private async Task<int> ServeAsync()
    {
        using var signals = new StopSignals(() => RescanAsync(_ending.Token));
        _loop.Start();
        await _loop.AskAsync(new PlaneEvent.Started(), _ending.Token).ConfigureAwait(false);
        await RescanAsync(_ending.Token).ConfigureAwait(false);
        await _server.StartAsync(_ending.Token).ConfigureAwait(false);
        using var scans = Watches.Every(RescanEvery, RescanAsync);
        Log.Info("ready", ("version", ProductVersion.Text), ("address", _server.Address), ("seq", _loop.Current.Seq));
        _systemd.Ready("ready");
        var ended = await Task.WhenAny(_loop.Completion, signals.Stopped).ConfigureAwait(false);
        if (ended == _loop.Completion) await _loop.Completion.ConfigureAwait(false);
        _systemd.Stopping("stopping");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await _server.StopAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _loop.Complete();
        await _loop.Completion.WaitAsync(TimeSpan.FromSeconds(4)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Log.Info(
            "ended", ("seq", _loop.Current.Seq), ("digest", StateDigest.Of(PlaneBinding.Instance, _loop.Current.State)));
        return 0;
    }

    /// <summary>
    /// Whatever signed manifest lies in the published directory and was not seen is published, older versions of a
    /// channel first. What does not count is told of once.
    /// </summary>
    private async Task RescanAsync(CancellationToken stop)
    {
        await _scanning.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            if (VerifiedBundle.Trust(_places.Trust).Failed(out var trust, out var why))
            {
                Log.Warn("nothing can be published", ("trust", _places.Trust), ("why", why.Detail));
                return;
            }

            var (fresh, refused) = _published.Scan(trust, _wall.Now);
            foreach (var (folder, fault) in refused) Log.Warn("a manifest does not count", ("folder", folder), ("why", fault));
            foreach (var order in System.Linq.Enumerable.OrderBy(fresh, order => order.Version))
            {
                if (_loop.Current.State.Rollouts.ContainsKey(order.Id)) continue;
                var decision = await _loop.AskAsync(new PlaneEvent.Published(order), stop).ConfigureAwait(false);
                if (decision.Refusal is null) Log.Info("published", ("rollout", order.Id), ("version", order.Version));
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Log.Warn("the published directory cannot be read", ("failure", failure.Message));
        }
        finally
        {
            _scanning.Release();
        }
    }

    private bool IsRevoked(Caller caller) => caller is Caller.Host host
        && _loop.Current.State.Hosts.Find(host.Name).Exists(known => known.Refuses(
            new Certificate(host.Credential.Serial, host.Credential.NotBefore, host.Credential.NotAfter)));
}
