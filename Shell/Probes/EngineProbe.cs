using Agent.Core.Runtime;

namespace Agent.Shell.Probes;

/// <summary>The container runtime is ready, as the published state has it.</summary>
internal static class EngineProbe
{
    public static ProbeResult Look(RuntimeState state) => state switch
    {
        RuntimeState.Ready ready => ProbeResult.Passed(ready.Endpoint),
        RuntimeState.NotStarted => ProbeResult.Failed("the container runtime is not started"),
        RuntimeState.Starting => ProbeResult.Failed("the container runtime is starting"),
        RuntimeState.Degraded => ProbeResult.Failed("the container runtime does not answer"),
        RuntimeState.Failed failed => ProbeResult.Failed($"the container runtime failed: {failed.Cause.Cause}"),
    };
}
