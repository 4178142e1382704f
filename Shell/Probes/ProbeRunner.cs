using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Core.Runtime;
using Agent.Shell.Loop;

namespace Agent.Shell.Probes;

/// <summary>Runs each kind of probe, and bounds what it may cost.</summary>
internal sealed class ProbeRunner(IHost host) : IProbeRunner
{
    public Task<ProbeResult> RunAsync(RolloutId rollout, ProbeSpec probe, CancellationToken stop) =>
        Task.FromResult(probe.Check switch
        {
            ProbeCheck.Process(var service) => OfService(host.Current.State, service),
            ProbeCheck.Runtime => OfRuntime(host.Current.State.Runtime),
            ProbeCheck.Http or ProbeCheck.Tcp or ProbeCheck.Exec or ProbeCheck.Container or ProbeCheck.Evidence =>
                ProbeResult.Inconclusive("this host cannot run it"),
        });

    private static ProbeResult OfService(HostState state, string service)
    {
        foreach (var process in state.Processes.All.Values)
        {
            var profile = process.Profile;
            if (profile.Spec.Kind != ProcessKind.Service || profile.Spec.Label != service) continue;
            if (profile.Tally.CrashLooping) return ProbeResult.Failed($"{service} crash-loops");
            return process is ProcessState.Running
                ? ProbeResult.Passed($"{service} runs")
                : ProbeResult.Failed($"{service} does not run");
        }

        return ProbeResult.Failed($"no service is called {service}");
    }

    private static ProbeResult OfRuntime(RuntimeState state) => state switch
    {
        RuntimeState.Ready ready => ProbeResult.Passed(ready.Endpoint),
        RuntimeState.NotStarted => ProbeResult.Failed("the container runtime is not started"),
        RuntimeState.Starting => ProbeResult.Failed("the container runtime is starting"),
        RuntimeState.Degraded => ProbeResult.Failed("the container runtime does not answer"),
        RuntimeState.Failed failed => ProbeResult.Failed($"the container runtime failed: {failed.Cause.Cause}"),
    };
}
