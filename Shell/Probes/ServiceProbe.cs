using Agent.Core.Host;
using Agent.Core.Process;

namespace Agent.Shell.Probes;

/// <summary>The service of that name runs, as the published state has it.</summary>
internal static class ServiceProbe
{
    public static ProbeResult Look(HostState state, string service)
    {
        foreach (var process in state.Processes.All.Values)
        {
            var profile = process.Profile;
            if (profile.Spec.Kind != ProcessKind.Service || profile.Spec.Label != service) continue;
            if (profile.Tally.CrashLooping) return ProbeResult.Failed($"{service} crash-loops");
            return process is not ProcessState.Running running ? ProbeResult.Failed($"{service} does not run")
                : running.IsReady ? ProbeResult.Passed($"{service} runs")
                : ProbeResult.Failed($"{service} is not ready yet");
        }

        return ProbeResult.Failed($"no service is called {service}");
    }
}
