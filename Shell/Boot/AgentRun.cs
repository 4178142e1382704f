using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reactive.Concurrency;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Shell.Activators;
using Agent.Shell.Activators.Nixos;
using Agent.Shell.Activators.Releases;
using Agent.Shell.Api;
using Agent.Shell.Companions;
using Agent.Shell.Config;
using Agent.Shell.Containers;
using Agent.Shell.Docker;
using Agent.Shell.Effects;
using Agent.Shell.Journal;
using Agent.Shell.Journal.Codec;
using Agent.Shell.Keeper;
using Agent.Shell.Linux;
using Agent.Shell.Loop;
using Agent.Shell.Manifests;
using Agent.Shell.Observability;
using Agent.Shell.Output;
using Agent.Shell.Pki;
using Agent.Shell.Probes;
using Agent.Shell.Sources;
using Agent.Shell.Uplink;
using LanguageExt;

namespace Agent.Shell.Boot;

/// <summary>
/// One run of the agent: recovers the state, answers on its socket, connects to the keeper, tells Core that it has
/// started, and goes on until it is told to end or its journal fails.
/// </summary>
internal sealed partial class AgentRun : IAsyncDisposable
{
    // As soon as it can matter: a signature's time has as much slack.
    private static readonly TimeSpan ClockEvery = WallClock.Slack;

    private readonly RunOptions _options;
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SystemdNotify _systemd = new();
    private readonly Counters _counters = new();
    private readonly Recorder<HostState, HostEvent, HostEffect> _recorder;
    private readonly SpawnSecrets _secrets;
    private readonly HostLoop _loop;
    private readonly OutputHub _output;
    private readonly KeeperLink _keeper;
    private readonly RuntimeStarter _runtime;
    private readonly ReleaseStore _releases;
    private readonly RolloutIntake _intake;
    private readonly RolloutInterpreter _rollouts;
    private readonly DeclaredContainers _declared;
    private readonly ContainerDeclaration _declaration;
    private readonly ContainerInterpreter _containers;
    private readonly DeclaredCompanions _declaredCompanions;
    private readonly CompanionInterpreter _companions;
    private readonly SubscriptionSet _subscriptions;
    private readonly PlaneLink _plane;
    private readonly OutboxInterpreter _outbox;
    private readonly WallClock _wall;
    private readonly Upgrade _upgrade;
    private readonly ApiServer _api;
    private AgentConfig _config;

    private AgentRun(RunOptions options, AgentConfig config, Published<HostState> recovered, JournalWriter writer)
    {
        var paths = options.Paths;
        _options = options;
        _config = config;
        _secrets = new SpawnSecrets(paths.Secrets);
        _secrets.RemoveAllBut(id => recovered.State.Processes.Find(id).IsSome);
        _recorder = new Recorder<HostState, HostEvent, HostEffect>(HostBinding.Instance, writer);
        var router = new EffectRouter();
        _loop = new HostLoop(recovered, new Clock(recovered.At), _recorder, new CountedEffects(router, _counters));
        var keeperPaths = new KeeperPaths(paths.StateDir, paths.RuntimeDir);
        _output = new OutputHub(paths.Rings, paths.Logs, keeperPaths, key => _ = _keeper!.CloseInputAsync(key));
        _keeper = new KeeperLink(keeperPaths, _output, _ending.Token);
        _runtime = new RuntimeStarter(_loop, _secrets, Layout);
        _releases = new ReleaseStore(paths.Releases);
        _releases.Sweep();
        if (Directory.Exists(paths.Downloads)) Directory.Delete(paths.Downloads, recursive: true);
        ClearCommands(paths.Commands);
        _wall = new WallClock(() => _loop.Now);
        _intake = new RolloutIntake(_loop, _releases, () => _config.Rollout, _wall);
        var commands = new SupervisedCommands(_loop, _secrets, _output);
        var labels = new ContainerLabels(InstanceId.Read(paths.Instance));
        _declared = new DeclaredContainers(_secrets.DigestKey, SocketOfRuntime, address => address.Connect(labels, paths.Commands));
        _declaration = new ContainerDeclaration(_loop, _releases, _declared, () => _config.Containers);
        var activators = new Dictionary<ActivatorKind, IActivator>
        {
            [ActivatorKind.Release] =
                new ReleaseActivator(
                    _releases, commands, paths.Socket, () => _config.Rollout.KeepReleases,
                    () => _loop.Current.State.Rollouts, _declaration),
            [ActivatorKind.Nixos] = new NixosActivator(config.Rollout.Nixos, commands),
        };
        _rollouts = new RolloutInterpreter(_loop, activators, new BootId(Processes.BootId));
        _plane = new PlaneLink(() => _wall.Now);
        _outbox = new OutboxInterpreter(_loop, _plane);
        _containers = new ContainerInterpreter(_loop, _declared, _started.Task);
        _declaredCompanions = new DeclaredCompanions(labels.Instance, _secrets.DigestKey);
        _companions = new CompanionInterpreter(_loop, _declaredCompanions, new Systemctl(paths.Commands), _started.Task);
        router.Connect(
            _runtime, new ProcessInterpreter(_loop, _keeper, _output, _secrets, _ending.Token), _rollouts,
            _outbox, _containers, _companions);
        var probes = new ProbeRunner(_loop, commands, new SignedEvidence(
            () => VerifiedBundle.Trust(_config.Rollout.Trust), () => _config.Rollout.Host, _wall), _wall,
            new ProgramRule(_releases, () => _config.Rollout));
        _subscriptions = new SubscriptionSet(
            _loop, new RolloutWatch(_loop, probes, activators), new ReadinessWatch(_loop, commands),
            new UplinkWatch(_loop, _plane, _intake, activators, paths.Downloads, () => _config.Rollout.Trust),
            new ContainerWatch(_loop, _declared),
            DefaultScheduler.Instance);
        _loop.Advanced += published =>
        {
            if (_loop.HasStarted) _subscriptions.Update(published.State);
        };
        _upgrade = new Upgrade(options, commands, () => _keeper.About);
        _api = new ApiServer(paths.Socket, new ApiParts(
            ProductVersion.Text, Path.GetFileName(paths.RuntimeDir.TrimEnd('/')), _loop, new ProbeForApi(Layout), _output,
            new RecordsForApi<HostState, HostEvent, HostEffect>(new(paths.Journal, _loop)), new DigestForApi(),
            _secrets, _intake, _counters,
            () => _keeper.IsConnected, new PlaneForApi(_plane, AttachAsync), _wall, _upgrade)
        {
            Engine = () => (labels.Instance, _declared.Engine, _declared.RegistryAuth),
            Units = () => _declaredCompanions.Units,
        });
    }

    /// <summary>
    /// Runs in the foreground. Exit codes: 0 ended as asked, 1 it cannot go on, 2 the configuration is wrong.
    /// </summary>
    public static async Task<int> RunAsync(RunOptions options)
    {
        var paths = options.Paths;
        try
        {
            foreach (var directory in (string[])[paths.StateDir, paths.RuntimeDir, paths.Rings, paths.Logs])
            {
                Directory.CreateDirectory(
                    directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            // 0711: services of any user pass through to their releases; every folder in it is closed but that.
            File.SetUnixFileMode(
                paths.StateDir,
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
            var config = ConfigReader.Read(paths, options.ConfigIsDefault);
            var (gate, holder) = StateLock.TryTake(paths.StateDir);
            if (gate is null) return Refuse($"the agent with pid {holder} runs on {paths.StateDir} already");
            using (gate)
            {
                var (recovered, writer, notice) = JournalRecovery.Open(
                    HostBinding.Instance, paths.Journal, JournalOptions.Default);
                if (notice is not null) Log.Warn($"the journal was recovered, {notice}");
                UpgradeTarget? target;
                var run = new AgentRun(options, config, recovered, writer);
                await using (run.ConfigureAwait(false)) target = await run.ServeAsync().ConfigureAwait(false);

                // The lock is held until this program is gone; the next one takes it.
                return target is null ? 0 : Upgrade.Execute(target, paths);
            }
        }
        catch (ConfigException failure)
        {
            foreach (var mistake in failure.Mistakes) Log.Fail(mistake);
            return 2;
        }
        catch (Exception failure) when (failure is JournalDamage or JournalFailure or UnknownRecordException
            or FileFailure or IOException or UnauthorizedAccessException or KeeperGone)
        {
            return Refuse(failure.Message);
        }
    }

    /// <summary>A command that outlived a killed agent may be writing there still: what is left then goes the next time.</summary>
    private static void ClearCommands(string folder)
    {
        try
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
        catch (IOException failure)
        {
            Log.Warn($"what a command left could not be removed: {failure.Message}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await _api.DisposeAsync().ConfigureAwait(false);
        await _runtime.DisposeAsync().ConfigureAwait(false);
        await _rollouts.DisposeAsync().ConfigureAwait(false);
        await _containers.DisposeAsync().ConfigureAwait(false);
        await _companions.DisposeAsync().ConfigureAwait(false);
        _subscriptions.Dispose();
        _declared.Dispose();
        _declaration.Dispose();
        await _outbox.DisposeAsync().ConfigureAwait(false);
        _loop.Dispose();
        _output.Dispose();
        _intake.Dispose();
        _plane.Dispose();
        _releases.Dispose();
        _recorder.Dispose();
        _ending.Dispose();
    }

    private static int Refuse(string why)
    {
        Log.Fail(why);
        return 1;
    }

    private EngineLayout Layout() => EngineLayout.Of(_options.Paths, _config.Runtime);

    /// <summary>Serves to the end. What to go on as, where that is why it ends.</summary>
    private async Task<UpgradeTarget?> ServeAsync()
    {
        using var signals = new StopSignals(ReloadAsync);
        LogServices();
        _output.Reopen(_loop.Current.State.Processes.All.Values);
        _loop.Start();

        // Before anybody can ask: the first answer already follows the configuration.
        await DeclareAsync().ConfigureAwait(false);
        await AttachAsync().ConfigureAwait(false);
        await _api.StartAsync(_ending.Token).ConfigureAwait(false);
        var warm = WarmUp.RunAsync(_options.Paths.Socket, _ending.Token);
        await _keeper.ConnectAsync(observed => _loop.AskAsync(
            new HostEvent.Started(new BootId(Processes.BootId), observed), _ending.Token)).ConfigureAwait(false);
        _started.TrySetResult();
        var watching = Task.Run(() => _keeper.RunAsync(_loop));
        await warm.ConfigureAwait(false);
        Log.Info("ready", ("version", ProductVersion.Text), ("socket", _options.Paths.Socket), ("seq", _loop.Current.Seq));
        _systemd.Ready("ready");
        using var watchdog = StartWatchdog();
        var following = Task.Run(FollowAsync);
        using var clocks = new Timer(_ => Tick(), null, TimeSpan.Zero, ClockEvery);
        var ended = await Task.WhenAny(_loop.Completion, signals.Stopped, _upgrade.Asked).ConfigureAwait(false);
        if (ended == _loop.Completion) await _loop.Completion.ConfigureAwait(false);
        var target = ended == _upgrade.Asked ? await _upgrade.Asked.ConfigureAwait(false) : null;
        await EndAsync(target).ConfigureAwait(false);
        await _ending.CancelAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return target;
    }

    /// <summary>The keeper becomes this build, or stays what it is and is told.</summary>
    private async Task FollowAsync()
    {
        try
        {
            await _keeper.UpgradeAsync().ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Whatever stands in the way of it, the agent serves with the keeper it has.
        catch (Exception failure) when (failure is not OperationCanceledException)
#pragma warning restore CA1031
        {
            Log.Fail("the keeper does not follow", ("error", failure));
        }
    }

    /// <summary>Ends within ten seconds and leaves everything running, unless it was to be stopped too.</summary>
    private async Task EndAsync(UpgradeTarget? target)
    {
        // For systemd an upgrade is no end: the process stays, and the next program says that it is ready.
        if (target is null) _systemd.Stopping("stopping");
        else _systemd.Busy("upgrading");
        var stopAll = _options.StopAll && target is null;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(stopAll ? 40 : 5));
        if (stopAll) await StopAllAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (stopAll)
        {
            await _keeper.EndAsync().WaitAsync(TimeSpan.FromSeconds(2)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await _api.StopAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _runtime.DisposeAsync().ConfigureAwait(false);
        await _rollouts.DisposeAsync().ConfigureAwait(false);
        await _containers.DisposeAsync().ConfigureAwait(false);
        await _companions.DisposeAsync().ConfigureAwait(false);
        await _outbox.DisposeAsync().ConfigureAwait(false);
        _loop.Complete();
        await _loop.Completion.WaitAsync(TimeSpan.FromSeconds(4)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Log.Info("ended", ("seq", _loop.Current.Seq), ("digest", StateDigest.Of(_loop.Current.State)));
    }

    private async Task StopAllAsync(CancellationToken patience)
    {
        await _loop.AskAsync(
            new HostEvent.Runtime(new Core.Runtime.RuntimeEvent.StopRequested()), patience).ConfigureAwait(false);

        // Those first that nothing living comes after, then those that this set free.
        while (_loop.Current.State.Processes.Stoppable is { IsEmpty: false } next)
        {
            foreach (var id in next)
            {
                await _loop.AskAsync(
                    new HostEvent.ProcessRequested(id, Principal.Root, new ProcessEvent.ShutdownRequested()), patience)
                    .ConfigureAwait(false);
            }

            await _loop.WhenAsync(
                published => published.State.Processes.Stoppable.Exists(id => !next.Exists(asked => asked == id))
                    || published.State.Processes.Stoppable.IsEmpty,
                patience).ConfigureAwait(false);
        }

        await _loop.WhenAsync(
            published => published.State.Processes.All.Values.All(state => state is ProcessState.Exited), patience)
            .ConfigureAwait(false);
    }

    private void Tick()
    {
        // Its keeper, and the guard of its last upgrade.
        Processes.ReapAll();
        if (!_wall.HasTurned(out var suspect)) return;
        if (suspect is null) Log.Info("the clocks agree again");
        else Log.Warn("the clock is suspect", ("why", suspect));
    }

    /// <summary>The watchdog hears of a loop that still takes events, not of a process that merely exists.</summary>
    private Timer? StartWatchdog() => _systemd.WatchdogInterval is { } every
        ? new Timer(_ => { if (!_loop.Completion.IsCompleted) _systemd.Alive(); }, null, TimeSpan.Zero, every)
        : null;
}
