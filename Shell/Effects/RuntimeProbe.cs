using System;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Docker;

namespace Agent.Shell.Effects;

/// <summary>What a look at the engine told a caller. <paramref name="Endpoint"/> is empty unless it is ready.</summary>
internal sealed record RuntimeProbeAnswer(bool Ready, string Endpoint, string Detail);

/// <summary>
/// Looks at the engine without touching anything. However many callers ask, one look is under way at a time and all
/// share its answer; it takes <see cref="EnginePing"/>'s limits at most.
/// </summary>
internal sealed class RuntimeProbe(Func<EngineLayout> layout)
{
    private readonly Lock _gate = new();
    private Task<RuntimeProbeAnswer>? _running;

    public Task<RuntimeProbeAnswer> ProbeAsync(CancellationToken stop)
    {
        lock (_gate)
        {
            if (_running is not { IsCompleted: false }) _running = LookAsync(layout());
            return _running.WaitAsync(stop);
        }
    }

    private static async Task<RuntimeProbeAnswer> LookAsync(EngineLayout layout) =>
        await EnginePing.PingAsync(layout.Settings.Socket, CancellationToken.None) switch
        {
            PingAnswer.Answered(var version, _) => new(true, layout.Endpoint, version ?? "the engine answers"),
            PingAnswer.NotYet(var detail, var listening) =>
                new(false, "", listening ? detail : Explain(layout, detail)),
            PingAnswer.Refused(var detail) => new(false, "", detail),
        };

    private static string Explain(EngineLayout layout, string detail)
    {
        var missing = layout.Binaries.DescribeMissing(
            EngineBinaries.Containerd, EngineBinaries.Dockerd, EngineBinaries.Shim, EngineBinaries.Runc);
        return missing is null ? detail : $"{detail}; {missing}";
    }
}
