using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Loop;
using Agent.Shell.Observability;
using Agent.Shell.Output;
using Effect = Agent.Core.Process.ProcessEffect;

namespace Agent.Shell.Effects;

/// <summary>
/// Carries out what the process machine decided, through the keeper. The effects of one process run one after the
/// other in the order decided; those of different processes run side by side. Every outcome goes back as an event.
/// </summary>
internal sealed class ProcessInterpreter(
    IHost host, KeeperLink keeper, OutputHub output, SpawnSecrets secrets, CancellationToken stop)
{
    private readonly Lock _gate = new();

    // One entry per process with work under way, so no more than the registry holds.
    private readonly Dictionary<ProcessId, (Task Tail, int Left)> _queues = [];

    // The newest generation asked for in this run: a start that overtakes the keeper's connection asks twice.
    private readonly Dictionary<ProcessId, int> _asked = [];

    public void Run(Effect effect) => _ = effect switch
    {
        Effect.Spawn e => Queue(e.Id, () => SpawnAsync(e)),
        Effect.Adopt e => Queue(e.Id, () => AdoptAsync(e)),
        Effect.SendSignal e => Queue(e.Id, () => keeper.SignalAsync(new(e.Id, e.Generation), e.Signal)),
        Effect.KillTree e => Queue(e.Id, () => keeper.KillTreeAsync(new(e.Id, e.Generation))),
        Effect.Forget e => Queue(e.Id, () => ForgetAsync(e)),
        Effect.CloseOutput e => Queue(e.Id, () => output.CloseAsync(e.Id)),
        Effect.Reap e => Queue(e.Id, () => ReapAsync(e)),
        Effect.Reject e => Told(e),
    };

    private Task Queue(ProcessId id, Func<Task> work)
    {
        lock (_gate)
        {
            var (before, left) = _queues.GetValueOrDefault(id, (Task.CompletedTask, 0));
            var tail = AfterAsync(id, before, work);
            _queues[id] = (tail, left + 1);
            return tail;
        }
    }

    private async Task AfterAsync(ProcessId id, Task before, Func<Task> work)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        await RunAsync(id, work).ConfigureAwait(false);
        lock (_gate)
        {
            var (tail, left) = _queues[id];
            if (left == 1) _queues.Remove(id);
            else _queues[id] = (tail, left - 1);
        }
    }

    private async Task RunAsync(ProcessId id, Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The agent ends; what is owed is issued again by its next start.
        }
#pragma warning disable CA1031 // The spawn tells its failures as events; the rest is repeated by deadlines or at the next start.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Log.Fail("an effect failed", ("process", id), ("error", failure));
        }
    }

    private async Task SpawnAsync(Effect.Spawn spawn)
    {
        lock (_gate)
        {
            if (_asked.GetValueOrDefault(spawn.Id) == spawn.Generation) return;
            _asked[spawn.Id] = spawn.Generation;
        }

        var @event = await TrySpawnAsync(spawn).ConfigureAwait(false);
        await host.PostAsync(new HostEvent.ProcessReported(spawn.Id, @event), stop).ConfigureAwait(false);
    }

    private async Task<ProcessEvent> TrySpawnAsync(Effect.Spawn spawn)
    {
        var key = new SpawnKey(spawn.Id, spawn.Generation);
        try
        {
            var (environment, prelude) = secrets.Get(spawn.Id);
            var answer = await keeper.SpawnAsync(key, spawn.Spec, environment).ConfigureAwait(false);
            if (answer is not SpawnAnswer.Refused) await output.AttachAsync(key, spawn.Spec, prelude).ConfigureAwait(false);
            return answer switch
            {
                SpawnAnswer.Spawned(var identity) => new ProcessEvent.SpawnCompleted(spawn.Generation, identity),
                SpawnAnswer.AlreadyEnded(var row) =>
                    await output.ExitOfAsync(key, spawn.Spec.Kind, row, stop).ConfigureAwait(false),
                SpawnAnswer.Refused(var code, var detail) => new ProcessEvent.SpawnFailed(spawn.Generation, code, detail),
            };
        }
#pragma warning disable CA1031 // Starting always ends: whatever went wrong is told as the spawn's failure.
        catch (Exception failure) when (failure is not OperationCanceledException)
#pragma warning restore CA1031
        {
            return new ProcessEvent.SpawnFailed(spawn.Generation, "internal", failure.Message);
        }
    }

    private Task AdoptAsync(Effect.Adopt adopt) =>
        output.AttachAsync(new(adopt.Id, adopt.Generation), adopt.Spec, prelude: []);

    /// <summary>
    /// The keeper holds the last words in its pipes until they were read here. Under backpressure that is a matter of the
    /// reader's, and nothing else waits for it.
    /// </summary>
    private async Task ForgetAsync(Effect.Forget forget)
    {
        var key = new SpawnKey(forget.Id, forget.Generation);
        if (await output.DrainedAsync(key, stop).ConfigureAwait(false)) await keeper.ForgetAsync(key).ConfigureAwait(false);
        else _ = RunAsync(key.Id, () => ForgetOnceReadAsync(key));
    }

    private async Task ForgetOnceReadAsync(SpawnKey key)
    {
        await output.ReadToEndAsync(key.Id).WaitAsync(stop).ConfigureAwait(false);
        await keeper.ForgetAsync(key).ConfigureAwait(false);
    }

    private Task ReapAsync(Effect.Reap reap)
    {
        Log.Debug("reaped", ("process", reap.Id), ("reason", reap.Reason));
        lock (_gate) _asked.Remove(reap.Id);
        secrets.Remove(reap.Id);
        return output.RemoveAsync(reap.Id);
    }

    private static Task Told(Effect.Reject reject)
    {
        Log.Debug("refused", ("code", reject.Code), ("reason", reject.Reason));
        return Task.CompletedTask;
    }
}
