using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Shell.Activators;
using Agent.Shell.Manifests;
using Agent.Shell.Pki;
using Agent.Shell.Uplink;
using Agent.Tests.Support;
using LanguageExt;

namespace Agent.Tests.Uplink;

/// <summary>
/// A host that is enrolled with a plane: the real loop, outbox, link and watches. Its rollouts are what a test tells.
/// </summary>
internal sealed class EnrolledHost : IAsyncDisposable, IRolloutIntake
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly ReleaseId Before = Release(1);

    private readonly string _home = Directory.CreateTempSubdirectory("uplink-").FullName;
    private readonly OutboxInterpreter _outbox;

    /// <param name="age">How long ago its certificate was issued.</param>
    public EnrolledHost(
        Authority authority, Uri plane, string name, HostState? from = null, TimeSpan age = default,
        Func<HttpMessageHandler, HttpMessageHandler>? around = null, Func<Instant, Instant>? clock = null)
    {
        Name = HostName.Parse(name).IfNoneUnsafe(() => null!)!;
        OutboxInterpreter? outbox = null;
        Host = new CoreHost((_, effect) =>
        {
            if (effect is HostEffect.Outbox(var owed)) outbox!.Run(owed);
        }, from);
        Identity = ClientIdentity.Open(Path.Combine(_home, "identity"));
        var issued = authority.Issue(Identity.Request(Name), Name, Host.Now - age);
        Certificate = new(issued.Serial, issued.NotBefore, issued.NotAfter);
        Identity.Accept(issued.Pem, Name, Host.Now, authority.Pem);
        Link = new PlaneLink(() => clock is null ? Host.Now : clock(Host.Now), around);
        _outbox = outbox = new OutboxInterpreter(Host, Link);
        Watch = new UplinkWatch(
            Host, Link, this, new Dictionary<ActivatorKind, IActivator>(), Downloads, () => TrustPath);
        Link.Attach(plane, Identity);
    }

    public string IdentityFolder => Path.Combine(_home, "identity");

    /// <summary>Where archives arrive.</summary>
    public string Downloads => Path.Combine(_home, "downloads");

    public HostName Name { get; }

    public CoreHost Host { get; }

    public ClientIdentity Identity { get; }

    public Core.Plane.Certificate Certificate { get; }

    public PlaneLink Link { get; }

    public UplinkWatch Watch { get; }

    public string TrustPath { get; set; } = "";

    /// <summary>What becomes of an offer.</summary>
    public Func<Bundle, Task<IntakeResult>> Intake { get; set; } =
        _ => Task.FromResult<IntakeResult>(new IntakeResult.Refused("no-trust", "nobody is trusted"));

    public OutboxState Outbox => Host.Current.State.Outbox;

    /// <summary>What goes wrong with the plane, in the words of `agent status`.</summary>
    public string Failure => Link.Health.Failure?.Why ?? "";

    Task<IntakeResult> IRolloutIntake.TakeAsync(Bundle bundle, Principal by, CancellationToken stop) => Intake(bundle);

    public Task AttachAsync() => TellAsync(new HostEvent.Outbox(new OutboxEvent.Attached()));

    public Task TellAsync(HostEvent @event) => Host.AskAsync(@event, CancellationToken.None);

    public Task TellAsync(RolloutId id, RolloutEvent @event) => TellAsync(new HostEvent.RolloutReported(id, @event));

    /// <summary>Takes a rollout up to where its target runs and is watched.</summary>
    public async Task<RolloutId> SoakAsync(int version)
    {
        var order = Order(version);
        await TellAsync(new HostEvent.RolloutOrdered(Principal.Root, order));
        await TellAsync(order.Id, new RolloutEvent.ActivationStarted(1, Before, "release"));
        await TellAsync(order.Id, new RolloutEvent.ActivationCompleted(1, order.Target));
        return order.Id;
    }

    /// <summary>The probe finds the other thing than before, which is an observation and no transition.</summary>
    public static HostEvent Flap(RolloutId id, int round) => new HostEvent.RolloutReported(id, new RolloutEvent.ProbeReported(
        1, Probe.Name, round % 2 == 0 ? new ProbeOutcome.Passed("") : new ProbeOutcome.Failed(""), Seq<ControlResult>.Empty));

    /// <summary>Until nothing is owed; it does not wait for the next try but asks for it.</summary>
    public async Task DrainAsync(TimeSpan? within = null)
    {
        using var limit = new CancellationTokenSource(within ?? Patience);
        while (true)
        {
            var state = await Host.WhenAsync(
                published => published.State.Outbox is OutboxState.Idle or OutboxState.Waiting, limit.Token);
            if (state.State.Outbox is OutboxState.Idle) return;
            await Host.AskAsync(new HostEvent.Outbox(new OutboxEvent.FlushRequested()), limit.Token);
        }
    }

    public Task<Shell.Loop.Published<HostState>> WhenAsync<T>()
        where T : OutboxState => Host.WhenAsync(state => state.Outbox is T, Patience);

    public RolloutState Rollout(RolloutId id) => Host.Current.State.Rollouts.Find(id).IfNoneUnsafe(() => null!)!;

    /// <summary>It soaks for a week, so that nothing but the test moves it.</summary>
    public static RolloutOrder Order(int version) => new(
        RolloutId.Parse($"app@{version:x16}").IfNoneUnsafe(() => null!)!, version, ActivatorKind.Release, Release(2),
        new RolloutPolicy(
            TimeSpan.FromDays(7), TimeSpan.FromDays(7), OnFailure.Halt, OnFailure.Halt, TimeSpan.FromDays(7),
            TimeSpan.FromMinutes(5), Unattended: false),
        Prelude.Seq1(Probe));

    private static ProbeSpec Probe { get; } = new(
        ProbeName.Parse("http").IfNoneUnsafe(() => null!)!, ProbeMode.Observe, TimeSpan.FromDays(1), TimeSpan.FromSeconds(1),
        TimeSpan.FromDays(1), 1, 1, new ProbeCheck.Tcp("localhost", 1));

    public async ValueTask DisposeAsync()
    {
        await _outbox.DisposeAsync();
        Host.Dispose();
        Link.Dispose();
        Directory.Delete(_home, recursive: true);
    }

    private static ReleaseId Release(int n) => ReleaseId.Parse($"sha256:{n:x64}").IfNoneUnsafe(() => null!)!;
}
