using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Time;
using Agent.Shell.Pki;
using Agent.Shell.Uplink;

namespace Agent.Benchmarks;

/// <summary>
/// PF-7: many hosts and one plane on this machine. Each host is a certificate, a question for work that is held open, and
/// a heartbeat, over real TLS; all of them live in this process, so what is told of the plane is its own cost alone.
/// </summary>
internal static class FleetBench
{
    private const int Hosts = 2000;
    private const int TargetHosts = 100_000;
    private const double TargetHeartbeatSeconds = 60;

    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(20);

    public static void Run(Build build) => RunAsync(build).GetAwaiter().GetResult();

    private static async Task RunAsync(Build build)
    {
        using var plane = new PlaneProcess(build);
        using var ending = new CancellationTokenSource();
        var fleet = new Fleet(plane, ending.Token);
        var watch = Stopwatch.StartNew();
        await fleet.ConnectAsync(Hosts);
        Report.Figure($"{build.Name}: {Hosts} hosts connected, each with two TLS handshakes", watch.Elapsed.TotalSeconds, "s");
        await Task.Delay(Heartbeat * 2);
        await Phase(build, plane, fleet, "steady heartbeats", changing: false);
        await Phase(build, plane, fleet, "heartbeats that each say something new", changing: true);
        Report.Figure($"{build.Name}: plane, resident", plane.ResidentMebibytes, "MiB");
        Report.Figure($"{build.Name}: failed requests", fleet.Failures, "");
        await ending.CancelAsync();
        await fleet.EndAsync();
    }

    private static async Task Phase(Build build, PlaneProcess plane, Fleet fleet, string name, bool changing)
    {
        fleet.Changing = changing;
        await Task.Delay(Heartbeat);
        fleet.Waits.Clear();
        var (cpu, watch) = (plane.CpuSeconds, Stopwatch.StartNew());
        await Task.Delay(Measured);
        var (used, elapsed) = (plane.CpuSeconds - cpu, watch.Elapsed.TotalSeconds);
        var waits = fleet.Waits.ToArray();
        Array.Sort(waits);
        if (waits.Length == 0) throw new InvalidOperationException("no heartbeat was answered");
        Report.Figure($"{build.Name}: {name}", waits.Length / elapsed, "req/s");
        Report.Figure($"{build.Name}:   p50", waits[waits.Length / 2], "ms");
        Report.Figure($"{build.Name}:   p99", waits[waits.Length * 99 / 100], "ms");
        Report.Figure($"{build.Name}:   plane's cpu", 100 * used / elapsed, "% of a core");
        var each = used / waits.Length;
        Report.Figure($"{build.Name}:   cpu for one heartbeat", each * 1e6, "us");
        Report.Figure(
            $"{build.Name}:   that is, for {TargetHosts} hosts every {TargetHeartbeatSeconds} s",
            each * TargetHosts / TargetHeartbeatSeconds, "cores", "PF-7 <= 2 cores");
    }

    /// <summary>Simulated hosts. They tell what a real agent tells, at its pace.</summary>
    private sealed class Fleet(PlaneProcess plane, CancellationToken stop)
    {
        private readonly List<Task> _running = [];
        private long _failures;
        private int _beats;

        public ConcurrentQueue<double> Waits { get; } = new();

        public bool Changing { get; set; }

        public long Failures => Volatile.Read(ref _failures);

        public async Task ConnectAsync(int count)
        {
            using var authority = Authority.Load(plane.StateDir, Now());
            var pem = authority.Pem;
            var connected = new ConcurrentBag<PlaneClient>();
            await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (n, _) =>
            {
                var client = Client(authority, pem, $"host-{n:00000}");
                await BeatAsync(client, 0);
                connected.Add(client);
            });
#pragma warning disable CA2025 // The clients live as long as this process does.
            foreach (var (client, n) in connected.Select((client, n) => (client, n)))
            {
                _running.Add(AskAsync(client));
                _running.Add(BeatOnAsync(client, Heartbeat * (n / (double)count)));
            }
#pragma warning restore CA2025
        }

        public async Task EndAsync() => await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        private PlaneClient Client(Authority authority, string pem, string name)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var host = HostName.Parse(name).IfNone(() => throw new InvalidOperationException(name));
            var issued = authority.Issue(SigningRequest.Make(key, name), host, Now());
            using var bare = X509Certificate2.CreateFromPem(issued.Pem);
            return new PlaneClient(plane.Address, PlaneConnections.For(bare.CopyWithPrivateKey(key), X509Certificate2.CreateFromPem(pem), Now));
        }

        private async Task AskAsync(PlaneClient client)
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    await client.GetAsync(
                        Protocol.Dispatch + "?wait=60", PlaneAnswers.Default.DispatchInfo, Protocol.MaxDispatchBytes,
                        Protocol.LongestWait + PlaneClient.Patience, stop);
                }
                catch (PlaneFailure)
                {
                    Interlocked.Increment(ref _failures);
                    await Task.Delay(1000, stop);
                }
            }
        }

        private async Task BeatOnAsync(PlaneClient client, TimeSpan first)
        {
            await Task.Delay(first, stop);
            using var pace = new PeriodicTimer(Heartbeat);
            do
            {
                var watch = Stopwatch.GetTimestamp();
                try
                {
                    await BeatAsync(client, Changing ? Interlocked.Increment(ref _beats) : 0);
                    Waits.Enqueue(Stopwatch.GetElapsedTime(watch).TotalMilliseconds);
                }
                catch (PlaneFailure)
                {
                    Interlocked.Increment(ref _failures);
                }
            }
            while (await pace.WaitForNextTickAsync(stop));
        }

        private Task BeatAsync(PlaneClient client, int news) => client.PostAsync(
            Protocol.Heartbeat,
            new HeartbeatRequest("boot", string.Create(CultureInfo.InvariantCulture, $"1.0.{news}"), [new("app", "sha256:" + new string('a', 64))], []),
            PlaneRequests.Default.HeartbeatRequest, PlaneAnswers.Default.HeartbeatAnswer, stop);

        private static Instant Now() => new(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
    }
}
