using System;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Shell.Effects;
using Agent.Shell.Keeper;
using Agent.Shell.Linux;
using Agent.Shell.Loop;
using Agent.Shell.Output;
using Agent.Tests.Support;

namespace Agent.Tests.Probes;

/// <summary>The real loop, interpreter, rings and keeper in a directory of their own, nothing durable above.</summary>
internal sealed class KeptHost : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("kept-");
    private readonly CancellationTokenSource _ending = new();
    private readonly ProcessInterpreter _processes;
    private readonly KeeperLink _keeper;
    private Task _watching = Task.CompletedTask;

    public KeptHost()
    {
        var runtime = At("r");
        var paths = new AgentPaths(At("agent.yaml"), At("s"), runtime, AgentPaths.DefaultSocket(runtime));
        foreach (var directory in (string[])[paths.StateDir, paths.RuntimeDir, paths.Rings, paths.Logs])
        {
            Directory.CreateDirectory(directory);
        }

        var keeperPaths = new KeeperPaths(paths.StateDir, paths.RuntimeDir);
        var secrets = new SpawnSecrets(paths.Secrets);
        Output = new OutputHub(paths.Rings, paths.Logs, keeperPaths, key => _ = _keeper!.CloseInputAsync(key));
        _keeper = new KeeperLink(keeperPaths, Output, _ending.Token);
        Host = new CoreHost((_, effect) =>
        {
            if (effect is HostEffect.Process(var process)) _processes!.Run(process);
        });
        _processes = new ProcessInterpreter(Host, _keeper, Output, secrets, _ending.Token);
        Commands = new SupervisedCommands(Host, secrets, Output);
        Probing = new Probing(Commands);
    }

    public SupervisedCommands Commands { get; }

    public Probing Probing { get; }

    public CoreHost Host { get; }

    public OutputHub Output { get; }

    public KeeperLink Keeper => _keeper;

    public string At(string name) => Path.Combine(_directory.FullName, name);

    /// <summary>With a keeper; without this there is none.</summary>
    public static async Task<KeptHost> StartAsync()
    {
        var kept = new KeptHost();
        await kept._keeper.ConnectAsync(observed => kept.Host.AskAsync(
            new HostEvent.Started(new BootId(Processes.BootId), observed), kept._ending.Token));
        kept._watching = Task.Run(() => kept._keeper.RunAsync(kept.Host));
        return kept;
    }

    public Task<ProbeOutcome> ShellAsync(string script) => Probing.RunAsync(Script(script));

    /// <summary>For a script that does not end: time enough for a busy machine to start three processes.</summary>
    public async Task<ProbeOutcome> HangAsync(string script) =>
        (await Probing.RunAsync(Probing.Spec(Script(script), TimeSpan.FromSeconds(4)))).Outcome;

    private static ProbeCheck.Exec Script(string script) => new(Probing.SeqOf("/bin/sh", "-c", script));

    /// <summary>Waits until everything that was started has ended, and answers how.</summary>
    public async Task<ProcessState.Exited[]> EndedAsync()
    {
        var state = await Host.WhenAsync(
            now => now.Processes.All.Values.All(process => process is ProcessState.Exited), Probing.Patience);
        return [.. state.State.Processes.All.Values.Cast<ProcessState.Exited>()];
    }

    public async ValueTask DisposeAsync()
    {
        if (_keeper.IsConnected)
        {
            await EndedAsync();
            await _keeper.EndAsync();
        }

        await _ending.CancelAsync();
        await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Probing.Dispose();
        Host.Dispose();
        Output.Dispose();
        _ending.Dispose();
        _directory.Delete(recursive: true);
    }
}
