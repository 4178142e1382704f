using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Shell.Api;
using Agent.Shell.Loop;
using Agent.Shell.Manifests;
using Agent.Shell.Observability;
using Agent.Shell.Pki;
using Agent.Shell.Plane;
using Agent.Shell.Trust;
using Agent.Shell.Uplink;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Uplink;

/// <summary>The real plane in this process, behind a line that fails as a test wants; its journal is a list.</summary>
internal sealed class RealPlane : IAsyncDisposable, IRecorder<PlaneState, PlaneEvent, PlaneEffect>
{
    private readonly string _home = Directory.CreateTempSubdirectory("plane-").FullName;
    private readonly List<(PlaneEvent Event, Seq<PlaneEffect> Effects)> _journal = [];
    private readonly List<IAsyncDisposable> _hosts = [];
    private readonly MemoryRecords _records = new();
    private readonly PlaneServer _server;

    private RealPlane(IReadOnlyList<string> names)
    {
        // Old enough to have issued certificates that are half over.
        Authority = Authority.Init(Path.Combine(_home, "authority"), names, Now - TimeSpan.FromDays(60));
        Published = new PublishedStore(Path.Combine(_home, "published"));
        Loop = new EventLoop<PlaneState, PlaneEvent, PlaneEffect>(
            PlaneBinding.Instance, new Published<PlaneState>(0, default, PlaneState.Initial), new Clock(default), this,
            new PlaneInterpreter(Bell));
        var door = new ServerDoor(Authority, IsRevoked, () => Loop.Now);
        _server = new PlaneServer(new IPEndPoint(IPAddress.Loopback, 0), new PlaneParts(
            "1.2.3", Loop, door, Authority, Published, Bell, new HostQuotas(() => Loop.Now), new LastSeen(() => Loop.Now),
            _records, () => new Shell.Trust.Refusal(TrustFault.NoTrust, "nobody is trusted"), new Counters(),
            new WallClock(() => Loop.Now)));
    }

    public static Instant Now => new(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());

    public Authority Authority { get; }

    public PublishedStore Published { get; }

    public DispatchBell Bell { get; } = new();

    public EventLoop<PlaneState, PlaneEvent, PlaneEffect> Loop { get; }

    public FaultyProxy Line { get; private set; } = null!;

    /// <summary>Past the line.</summary>
    public Uri Direct { get; private set; } = null!;

    public Uri Url => new($"https://localhost:{Line.Port}");

    public static async Task<RealPlane> OpenAsync(int seed = 1, params IReadOnlyList<string> names)
    {
        var plane = new RealPlane(names.Count == 0 ? ["localhost"] : names);
        plane.Loop.Start();
        await plane._server.StartAsync(CancellationToken.None);
        var port = new Uri(plane._server.Address).Port;
        plane.Line = new FaultyProxy(port, seed);
        plane.Direct = new Uri($"https://localhost:{port}");
        return plane;
    }

    /// <summary>An enrolled host, known here by its certificate. It goes with the plane.</summary>
    public async Task<EnrolledHost> EnrolAsync(
        string name, Core.Host.HostState? from = null, TimeSpan age = default,
        Func<HttpMessageHandler, HttpMessageHandler>? around = null, Func<Instant, Instant>? clock = null)
    {
        var host = new EnrolledHost(Authority, Url, name, from, age, around, clock);
        _hosts.Add(host);
        await AskAsync(new PlaneEvent.Certified(host.Name, host.Certificate));
        return host;
    }

    /// <summary>A client that shows a host's certificate and goes past the line.</summary>
    public HttpClient ClientOf(EnrolledHost host, bool speaksVersion = true)
    {
        var client = new HttpClient(PlaneConnections.For(host.Identity, () => Now)) { BaseAddress = Direct };
        if (speaksVersion) client.DefaultRequestHeaders.Add(Protocol.VersionHeader, Protocol.Version);
        return client;
    }

    public async Task AskAsync(PlaneEvent @event)
    {
        var decision = await Loop.AskAsync(@event, CancellationToken.None);
        Assert.Null(decision.Refusal);
    }

    public RolloutState? Mirror(HostName host, RolloutId id) =>
        Loop.Current.State.Hosts.Find(host).Bind(known => known.Mirrors.Find(id)).IfNoneUnsafe(() => null!);

    /// <summary>The mirror stands where the host does, to the last field.</summary>
    public void Mirrors(EnrolledHost host, RolloutId id) => Assert.Equal(Text(host.Rollout(id)), Text(Mirror(host.Name, id)));

    /// <summary>Every single event of a host was accepted once at most. Answers how many were, and how many came again.</summary>
    public (int Once, int Again) NothingTwice(HostName host)
    {
        var (accepted, again) = (new System.Collections.Generic.HashSet<(RolloutId, long)>(), 0);
        foreach (var (@event, effects) in Journal())
        {
            if (@event is not PlaneEvent.Told(var teller, var tellings) || teller != host) continue;
            var verdicts = effects.OfType<PlaneEffect.Answer>().Single().Verdicts;
            foreach (var (telling, verdict) in tellings.Zip(verdicts))
            {
                if (telling is not Telling.Happened happened) continue;
                if (verdict is Verdict.Accepted) Assert.True(accepted.Add((happened.Id, happened.Seq)), $"seq {happened.Seq} twice");
                if (verdict is Verdict.Seen) again++;
            }
        }

        return (accepted.Count, again);
    }

    public (PlaneEvent Event, Seq<PlaneEffect> Effects)[] Journal()
    {
        lock (_journal) return [.. _journal];
    }

    public bool IsFull => false;

    public void Append(long seq, Instant at, PlaneEvent @event, Seq<PlaneEffect> effects, PlaneState after)
    {
        lock (_journal) _journal.Add((@event, effects));
    }

    public void Commit(Published<PlaneState> after)
    {
        // Nothing here outlives the test.
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts) await host.DisposeAsync();
        await Line.DisposeAsync();
        using (var soon = new CancellationTokenSource(TimeSpan.FromSeconds(5))) await _server.StopAsync(soon.Token);
        await _server.DisposeAsync();
        Loop.Dispose();
        Authority.Dispose();
        _records.Dispose();
        Directory.Delete(_home, recursive: true);
    }

    private static string Text(RolloutState? state) => state is null
        ? "nothing"
        : System.Text.Encoding.UTF8.GetString(Tellings.Write([new Telling.Stands(state)]).Span);

    private bool IsRevoked(Caller caller) => caller is Caller.Host host
        && Loop.Current.State.Hosts.Find(host.Name).Exists(known => known.Refuses(
            new Certificate(host.Credential.Serial, host.Credential.NotBefore, host.Credential.NotAfter)));
}
