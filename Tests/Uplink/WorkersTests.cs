using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Rollout;
using Agent.Shell.Activators;
using Agent.Shell.Containers;
using Agent.Shell.Loop;
using Agent.Shell.Manifests;
using Agent.Shell.Probes;
using Agent.Shell.Sources;
using Agent.Shell.Trust;
using Agent.Shell.Uplink;
using Agent.Tests.Manifests;
using Agent.Tests.Probes;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Uplink;

/// <summary>Each of the watches on the plane meets once what nobody foresaw.</summary>
public sealed class WorkersTests
{
    private static CancellationToken None => CancellationToken.None;

    /// WI-5: a turn that throws is told in the link's health; the next turn runs and takes it back.
    [Fact]
    public async Task What_a_watch_meets_is_told_and_its_next_turn_runs()
    {
        using var manifests = new ManifestWorld();
        using var blow = new Blow();
        await using var plane = await RealPlane.OpenAsync();
        var host = await plane.EnrolAsync("web-1", age: TimeSpan.FromDays(16), around: blow.Around);
        host.TrustPath = manifests.TrustPath;
        using var over = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        (string Errand, string Path, Func<Task> Turn)[] watches =
        [
            ("the heartbeat", Protocol.Heartbeat, () => host.Watch.HeartbeatAsync(None)),
            ("the trust file", Protocol.Trust, () => host.Watch.ManifestsAsync(None)),
            ("renewing the certificate", Protocol.Renew, () => host.Watch.RenewAsync(None)),
            ("asking for work", Protocol.Dispatch, () => host.Watch.DispatchAsync(over.Token)),
        ];
        foreach (var (errand, path, turn) in watches)
        {
            blow.Next(path);
            await turn();
            Assert.Equal($"{errand}: out of the blue", host.Failure);
            if (path == Protocol.Dispatch) break;
            await turn();
            Assert.Equal("", host.Failure);
            Assert.Equal(2, blow.Asked(path));
        }

        blow.Next(Protocol.Events);
        await host.AttachAsync();
        var id = await host.SoakAsync(1);
        await host.WhenAsync<OutboxState.Waiting>();
        await host.DrainAsync();
        plane.Mirrors(host, id);
    }

    /// WI-5: as they run in the agent, in virtual time: each is asked again after it broke.
    [Fact]
    public async Task The_watches_go_on_by_themselves()
    {
        using var manifests = new ManifestWorld();
        using var blow = new Blow();
        await using var plane = await RealPlane.OpenAsync();
        var host = await plane.EnrolAsync("web-1", age: TimeSpan.FromDays(16), around: blow.Around);
        host.TrustPath = manifests.TrustPath;
        var time = new VirtualTime();
        var none = new Dictionary<ActivatorKind, IActivator>();
        var wall = new WallClock(() => host.Host.Now);
        var probes = new ProbeRunner(host.Host, new NoCommands(), new SignedEvidence(
            () => new Shell.Trust.Refusal(TrustFault.NoTrust, "nobody is trusted"), () => "here", wall), wall);
        using var set = new SubscriptionSet(host.Host, new RolloutWatch(host.Host, probes, none), new ReadinessWatch(host.Host, new NoCommands()), host.Watch,
            new ContainerWatch(host.Host, new DeclaredContainers(default, () => "", _ => throw new NotSupportedException())), time);
        string[] paths = [Protocol.Heartbeat, Protocol.Trust, Protocol.Renew, Protocol.Dispatch];
        foreach (var path in paths) blow.Next(path);
        await host.AttachAsync();
        set.Update(host.Host.Current.State);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        foreach (var path in paths)
        {
            while (blow.Asked(path) < 2)
            {
                time.Advance(TimeSpan.FromMinutes(1));
                await blow.AskedAsync(limit.Token);
            }
        }
    }

    /// <summary>Throws at the next request to a path, once.</summary>
    private sealed class Blow : IDisposable
    {
        private readonly ConcurrentDictionary<string, bool> _next = new();
        private readonly ConcurrentDictionary<string, int> _asked = new();
        private readonly SemaphoreSlim _more = new(0);

        public void Next(string path) => _next[path] = true;

        public int Asked(string path) => _asked.GetValueOrDefault(path);

        /// <summary>Some request came, or none within the time in which the threads of a turn take theirs.</summary>
        public Task AskedAsync(CancellationToken stop) => _more.WaitAsync(TimeSpan.FromMilliseconds(20), stop);

        public void Dispose() => _more.Dispose();

        public HttpMessageHandler Around(HttpMessageHandler inner) => new Handler(this, inner);

        private sealed class Handler(Blow blow, HttpMessageHandler inner) : DelegatingHandler(inner)
        {
            protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            {
                var path = request.RequestUri!.AbsolutePath;
                blow._asked.AddOrUpdate(path, 1, (_, count) => count + 1);
                blow._more.Release();
                if (blow._next.TryRemove(path, out _)) throw new InvalidOperationException("out of the blue");
                return base.SendAsync(request, cancellationToken);
            }
        }
    }
}
