using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Runtime;
using Agent.Shell.Activators;
using Agent.Shell.Containers;
using Agent.Shell.Loop;
using Agent.Shell.Manifests;
using Agent.Shell.Probes;
using Agent.Shell.Sources;
using Agent.Shell.Trust;
using Agent.Shell.Uplink;
using Agent.Tests.Probes;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;
using Refusal = Agent.Shell.Trust.Refusal;

namespace Agent.Tests.Runtime;

/// <summary>The runtime's watch, in virtual time, against an engine that the test plays.</summary>
public sealed class SubscriptionSetTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly string _directory = Directory.CreateTempSubdirectory("sub-").FullName;
    private readonly VirtualTime _time = new();
    private readonly CoreHost _host = new((_, _) => { });
    private readonly PlaneLink _plane = new(() => default);
    private readonly SubscriptionSet _subscriptions;

    public SubscriptionSetTests()
    {
        _subscriptions = new SubscriptionSet(
            _host,
            new RolloutWatch(
                _host,
                new ProbeRunner(_host, new NoCommands(), new SignedEvidence(
                () => new Refusal(TrustFault.NoTrust, "nobody is trusted"), () => "here", new WallClock(() => _host.Now)),
                    new WallClock(() => _host.Now)),
                new Dictionary<ActivatorKind, IActivator>()),
            new ReadinessWatch(_host, new NoCommands()),
            new UplinkWatch(
                _host, _plane, new NoIntake(), new Dictionary<ActivatorKind, IActivator>(), _directory, () => "trust.json"),
            new ContainerWatch(_host, new DeclaredContainers(default, () => "", _ => throw new NotSupportedException())),
            _time);
        _host.Advanced += published => _subscriptions.Update(published.State);
    }

    private string Socket => Path.Combine(_directory, "s");

    /// RT-8: an engine that answers on and on writes nothing into the journal.
    [Fact]
    public async Task Passes_that_change_nothing_are_not_posted()
    {
        using var engine = Engine();
        await BecomeReadyAsync();
        var before = _host.Current.Seq;
        for (var round = 0; round < 5; round++) await AnswerAsync(engine);

        // The next wait begins only after the last answer was dealt with.
        await AdvanceToNextProbeAsync(engine);
        Assert.Equal(before, _host.Current.Seq);
    }

    /// RT-8: three misses in a row degrade; while degraded only an answer is news, and it makes ready again.
    [Fact]
    public async Task Misses_are_posted_and_an_answer_after_them_too()
    {
        await BecomeReadyAsync();
        var degraded = _host.RuntimeAsync<RuntimeState.Degraded>(Patience);
        while (!degraded.IsCompleted) await PassTimeAsync();
        Assert.Contains(Socket, (await degraded).Cause.Cause, StringComparison.Ordinal);
        for (var round = 0; round < 5; round++) await PassTimeAsync();

        using var engine = Engine();
        await AnswerAsync(engine);
        await _host.RuntimeAsync<RuntimeState.Ready>(Patience);
        Assert.Equal(
            ["ProbeFailed", "ProbeFailed", "ProbeFailed", "ProbePassed"],
            _host.Events.OfType<HostEvent.Runtime>().Select(posted => posted.Event.GetType().Name).Skip(2));
    }

    /// RT-8: the watch lives exactly as long as a state names it.
    [Fact]
    public async Task A_watch_ends_with_the_state_that_needs_it()
    {
        using var engine = Engine();
        await BecomeReadyAsync();
        await AnswerAsync(engine);
        await _host.AskAsync(new RuntimeEvent.StopRequested());

        // Subscriptions are updated after those who asked have their answer, and before the next batch.
        await _host.AskAsync(new RuntimeEvent.StopRequested());
        _time.Advance(RuntimePolicy.ProbeInterval * 3);
        Assert.False(engine.Poll(TimeSpan.FromMilliseconds(200), SelectMode.SelectRead));
    }

    /// RT-8: a probe that hangs is one probe; no second one starts beside it.
    [Fact]
    public async Task At_most_one_probe_is_under_way()
    {
        using var engine = Engine();
        await BecomeReadyAsync();
        await AdvanceToNextProbeAsync(engine);
        using var hanging = await engine.AcceptAsync();
        _time.Advance(RuntimePolicy.ProbeInterval * 3);
        Assert.False(engine.Poll(TimeSpan.FromMilliseconds(200), SelectMode.SelectRead));
    }

    public void Dispose()
    {
        _subscriptions.Dispose();
        _host.Dispose();
        _plane.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task BecomeReadyAsync()
    {
        await _host.AskAsync(new RuntimeEvent.EnsureRequested());
        await _host.AskAsync(new RuntimeEvent.StartCompleted(1, "unix://" + Socket, "", Seq<ServiceStatus>.Empty));
    }

    private Socket Engine()
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(Socket));
        listener.Listen(8);
        return listener;
    }

    private async Task AnswerAsync(Socket engine)
    {
        await AdvanceToNextProbeAsync(engine);
        using var connection = await engine.AcceptAsync();
        await connection.ReceiveAsync(new byte[256]);
        await connection.SendAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\n\r\nOK"));
    }

    /// <summary>A turn arms the next one when it is done; until then advancing finds nothing to run.</summary>
    private async Task AdvanceToNextProbeAsync(Socket engine)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!engine.Poll(TimeSpan.FromMilliseconds(5), SelectMode.SelectRead))
        {
            limit.Token.ThrowIfCancellationRequested();
            await PassTimeAsync();
        }
    }

    /// <summary>Leaves a probe that came due the real time it needs.</summary>
    private async Task PassTimeAsync()
    {
        _time.Advance(RuntimePolicy.ProbeInterval);
        await Task.Delay(5);
    }

    private sealed class NoIntake : IRolloutIntake
    {
        public Task<IntakeResult> TakeAsync(Bundle bundle, Principal by, CancellationToken stop) =>
            Task.FromResult<IntakeResult>(new IntakeResult.Refused("none", "nothing is taken here"));
    }
}
