using System;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Shell.Config;
using Agent.Shell.Effects;
using Agent.Shell.Loop;
using Agent.Shell.Probes;

namespace Agent.Shell.Sources;

/// <summary>
/// One look whether a service has become ready. Only that it has is told; that it has not is what its deadline is for.
/// </summary>
internal sealed class ReadinessWatch(IHost host, ICommands commands)
{
    // What is asked more often than it answers would be asked by many at once.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>Its end is read at once; this is for a host so busy that "at once" takes seconds.</summary>
    private static readonly TimeSpan Retention = TimeSpan.FromSeconds(10);

    public async Task LookAsync(Subscription.ServiceReadiness key, CancellationToken stop)
    {
        if (!host.Current.State.Processes.Find(key.Id).TryGet(out var state)) return;
        if (state is not ProcessState.Running { IsReady: false } || state.Profile.Generation != key.Generation) return;
        if (!state.Profile.Spec.Ready.TryGet(out var ready)) return;
        if (!await PassesAsync(state.Profile.Spec, ready.Check, stop).ConfigureAwait(false)) return;
        await host.PostAsync(
            new HostEvent.ProcessReported(key.Id, new ProcessEvent.BecameReady(key.Generation)), stop).ConfigureAwait(false);
    }

    private async Task<bool> PassesAsync(ProcessSpec spec, ReadyCheck check, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Timeout);
        try
        {
            return check switch
            {
                ReadyCheck.Http(var address, var status) =>
                    Passed(await HttpProbe.RunAsync(new(address, status, default), limit.Token).ConfigureAwait(false)),
                ReadyCheck.Tcp(var name, var port) =>
                    Passed(await TcpProbe.RunAsync(new(name, port), limit.Token).ConfigureAwait(false)),
                ReadyCheck.Exec(var command) => await RunAsync(spec, [.. command], stop).ConfigureAwait(false),

                // The keeper hears it.
                ReadyCheck.Notify => false,
            };
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
    }

    private static bool Passed(ProbeResult result) => result.Outcome is ProbeOutcome.Passed;

    private async Task<bool> RunAsync(ProcessSpec spec, string[] command, CancellationToken stop)
    {
        var name = $"ready {spec.Label} {Ids.New()}";
        var directory = spec.WorkingDirectory.TryGet(out var cwd) ? cwd : "/";
        var request = new CommandRequest(
            name, $"ready {spec.Label}", command, directory, Environments.Inherited(), Timeout, Retention)
        {
            // It has had its time; a check has nothing to put in order.
            Grace = TimeSpan.Zero,
        };
        return (await commands.RunAsync(request, stop).ConfigureAwait(false)).Status is ExitStatus.Exited(0);
    }
}
