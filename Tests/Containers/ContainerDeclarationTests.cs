using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Activators;
using Agent.Shell.Activators.Releases;
using Agent.Shell.Containers;
using Agent.Shell.Effects;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Containers;

/// <summary>What a release declares, from its file to the engine, which is one in memory.</summary>
public sealed class ContainerDeclarationTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly ContainerSettings Followed = ContainerSettings.None with
    {
        Release = ReleasedSet.Parse("app/compose.yaml"),
        Engine = new EngineAddress.Socket("/engine.sock"),
    };

    private readonly StoreWorld _world = new();
    private readonly FakeEngine _engine = new();
    private readonly CoreHost _host;
    private readonly DeclaredContainers _declared;
    private readonly ContainerInterpreter _interpreter;
    private readonly ContainerDeclaration _declaration;
    private ContainerSettings _settings = Followed;

    public ContainerDeclarationTests()
    {
        _engine.AddImage(BackendWorld.Image);
        _declared = new(new byte[32], () => "runtime.sock", _ => _engine.Connect("here"));
        ContainerInterpreter? interpreter = null;
        _host = new CoreHost((_, effect) =>
        {
            if (effect is HostEffect.Container(var asked)) interpreter!.Run(asked);
        });
        _interpreter = interpreter = new(_host, _declared, Task.CompletedTask);
        _declaration = new(_host, _world.Store, _declared, () => _settings);
    }

    /// CT-9, RO-11: the set is what the current release carries; another channel's switch is none of its business.
    /// Upstream: catalog overlay (prod_orchestrator).
    [Fact]
    public async Task The_set_is_the_current_releases()
    {
        await StartAsync();
        Assert.Empty(await _declaration.DeclareAsync(CancellationToken.None));
        Assert.IsType<PassState.Off>(_host.Current.State.Containers.Passing);

        await SwitchAsync("web", "worker");
        await WhenRunningAsync("web", "worker");
        _world.Store.Switch("other", (await MakeAsync("stranger")).Sha256);
        Assert.Empty(await _declaration.SwitchedAsync(Channel("other"), CancellationToken.None));
        Assert.Equal(["web", "worker"], Declared());
    }

    /// CT-2: what a release drops is left as it is, unless the configuration has it go.
    [Fact]
    public async Task What_is_dropped_is_left_or_goes_as_the_configuration_says()
    {
        await StartAsync();
        await SwitchAsync("web", "worker");
        await WhenRunningAsync("web", "worker");
        await SwitchAsync("web");
        Assert.Equal(["web"], Declared());
        await WhenRunningAsync("web", "worker");

        _settings = Followed with { RemoveDropped = true };
        await SwitchAsync("web", "worker");
        await SwitchAsync("web");
        await WhenAsync(containers => containers.Find(Rig.Uid("worker")).IsNone);
        await WhenRunningAsync("web");
        await SwitchAsync();
        await WhenAsync(containers => containers.All.IsEmpty);
    }

    /// CT-2, RO-11: a way back at once finds what was about to go, and has it again.
    [Fact]
    public async Task What_was_about_to_go_comes_back_with_its_release()
    {
        _settings = Followed with { RemoveDropped = true };
        await StartAsync();
        await SwitchAsync("web", "worker");
        await WhenRunningAsync("web", "worker");
        _engine.Faults["stop worker"] = new EngineFault.Fail(ContainerFault.Failed, "not yet");
        await SwitchAsync("web");
        await SwitchAsync("web", "worker");
        _engine.Faults.Clear();
        await WhenRunningAsync("web", "worker");
    }

    /// CT-7: a user's stop stands, whatever releases come and go.
    [Fact]
    public async Task A_users_stop_outlives_releases()
    {
        _settings = Followed with { RemoveDropped = true };
        await StartAsync();
        await SwitchAsync("web", "worker");
        await WhenRunningAsync("web", "worker");
        await _host.AskAsync(
            new HostEvent.ContainersReported(
                new ContainersEvent.One(Rig.Uid("worker"), new ContainerEvent.StopRequested())),
            CancellationToken.None);
        await SwitchAsync("web");
        await SwitchAsync("web", "worker");
        Assert.Equal(ContainerWish.Stopped, Find("worker")?.Profile.Wish);
    }

    /// CT-9, RO-4: a release whose file has mistakes is told before anything changes, and declares nothing. Upstream:
    /// catalog overlay, an entry that fails its checks (prod_orchestrator).
    [Fact]
    public async Task A_file_with_mistakes_changes_nothing()
    {
        await StartAsync();
        await SwitchAsync("web");
        await WhenRunningAsync("web");
        var wrong = await _world.ImportAsync(("compose.yaml", "services: { web: { image: a, privileged: true } }"));
        var mistake = Assert.Single(_declaration.Check(Channel("app"), wrong.Sha256));
        Assert.Contains("compose.yaml:1:", mistake, StringComparison.Ordinal);
        Assert.Empty(_declaration.Check(Channel("other"), wrong.Sha256));

        var activator = new ReleaseActivator(
            _world.Store, new CommandsOnce(), "socket", () => 9, () => _host.Current.State.Rollouts, _declaration);
        var refused = await Assert.ThrowsAsync<ActivationException>(
            () => activator.PrepareAsync(SwitchTo(wrong), CancellationToken.None));
        Assert.Equal(("compose-invalid", mistake), (refused.Code, refused.Message));

        _world.Store.Switch("app", wrong.Sha256);
        Assert.Equal([mistake], await _declaration.DeclareAsync(CancellationToken.None));
        Assert.Equal(["web"], Declared());
    }

    /// CT-3, CT-6: an agent that starts on such a release asks the engine that has its containers, and no other.
    [Fact]
    public async Task The_engine_is_known_where_the_set_is_not()
    {
        var wrong = await _world.ImportAsync(("compose.yaml", "services: { web: {} }"));
        _world.Store.Switch("app", wrong.Sha256);
        Assert.Single(await _declaration.DeclareAsync(CancellationToken.None));
        Assert.Equal(Followed.Engine, _declared.Engine);
    }

    public async ValueTask DisposeAsync()
    {
        await _interpreter.DisposeAsync();
        _host.Dispose();
        _declaration.Dispose();
        _declared.Dispose();
        _world.Dispose();
    }

    private Task StartAsync() => _host.AskAsync(
        new HostEvent.Started(new BootId("b"), Seq<ObservedProcess>.Empty), CancellationToken.None);

    private Task<TestRelease> MakeAsync(params string[] uids) => _world.ImportAsync(
        ("compose.yaml", $"services:\n{string.Concat(uids.Select(uid =>
            $"  {uid}: {{ image: '{BackendWorld.Image}', restart: always, command: [sh, -c, sleep 1000] }}\n"))}"),
        ("mark", Guid.NewGuid().ToString()));

    /// <summary>The channel's link leads to a new release, as a switch leaves it.</summary>
    private async Task SwitchAsync(params string[] uids)
    {
        _world.Store.Switch("app", (await MakeAsync(uids)).Sha256);
        Assert.Empty(await _declaration.SwitchedAsync(Channel("app"), CancellationToken.None));
    }

    private string[] Declared() =>
    [
        .. _host.Current.State.Containers.All.Values.Where(state => state.Profile.Spec.IsSome)
            .Select(state => state.Profile.Uid.Value),
    ];

    private ContainerState? Find(string uid) =>
        _host.Current.State.Containers.Find(Rig.Uid(uid)).TryGet(out var state) ? state : null;

    private async Task WhenRunningAsync(params string[] uids) => await WhenAsync(containers => uids.All(uid =>
        containers.Find(Rig.Uid(uid)).Exists(state => state is ContainerState.Idle
        {
            Profile.Seen: Sighting.Present({ Status: ContainerStatus.Running(PidAlive: true) }),
        })));

    private async Task WhenAsync(Func<Core.Container.Containers, bool> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        await _host.WhenAsync(at => condition(at.State.Containers), limit.Token);
    }

    private static SwitchRequest SwitchTo(TestRelease release) => new(
        RolloutId.Parse("app@abcdef01").IfNone(() => throw new InvalidOperationException()), 1,
        ReleaseId.Parse(ReleaseId.ArchivePrefix + release.Sha256).IfNone(() => throw new InvalidOperationException()),
        null, Patience, IsRollback: false);

    private static ChannelName Channel(string name) =>
        ChannelName.Parse(name).IfNone(() => throw new InvalidOperationException());
}
