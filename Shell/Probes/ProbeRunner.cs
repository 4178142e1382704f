using System;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Shell.Effects;
using Agent.Shell.Loop;

namespace Agent.Shell.Probes;

/// <summary>Hands a probe to the one that runs its kind, and ends it at its timeout.</summary>
/// <param name="programs">What exec probes may run; null: anything.</param>
internal sealed class ProbeRunner(
    IHost host, ICommands commands, IEvidenceReader evidence, WallClock wall, ProgramRule? programs = null) : IProbeRunner
{
    public const string TimedOut = "timed out";

    private readonly ExecProbe _exec = new(commands, host, programs);
    private readonly EvidenceProbe _evidence = new(evidence, host, wall);

    public async Task<ProbeResult?> RunAsync(RolloutId rollout, ProbeSpec probe, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        try
        {
            limit.CancelAfter(probe.Timeout);
            return await RunCheckAsync(rollout, probe, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return stop.IsCancellationRequested ? ProbeResult.Inconclusive("given up") : AtTimeout(probe.Check);
        }
#pragma warning disable CA1031 // A probe that breaks is one that could not be run; the rollout's own timer goes on.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            return ProbeResult.Inconclusive($"it could not be run: {failure.Message}");
        }
    }

    private async Task<ProbeResult?> RunCheckAsync(RolloutId rollout, ProbeSpec probe, CancellationToken limit) =>
        probe.Check switch
        {
            ProbeCheck.Http http => await HttpProbe.RunAsync(http, limit).ConfigureAwait(false),
            ProbeCheck.Tcp tcp => await TcpProbe.RunAsync(tcp, limit).ConfigureAwait(false),
            ProbeCheck.Exec exec => await _exec.RunAsync(rollout, probe, exec, limit).ConfigureAwait(false),
            ProbeCheck.Process(var service) => ServiceProbe.Look(host.Current.State, service),
            ProbeCheck.Runtime => EngineProbe.Look(host.Current.State.Runtime),
            ProbeCheck.Container(var name) =>
                DeclaredContainerProbe.Look(host.Current.State.Containers, name, host.Now)
                ?? await ContainerProbe.RunAsync(host.Current.State.Runtime, name, limit).ConfigureAwait(false),
            ProbeCheck.Evidence file => await _evidence.RunAsync(rollout, probe, file, limit).ConfigureAwait(false),
        };

    /// <summary>
    /// What was asked and stayed silent has failed. Where somebody else was asked about it, nothing is known.
    /// </summary>
    private static ProbeResult AtTimeout(ProbeCheck check) => check switch
    {
        ProbeCheck.Http or ProbeCheck.Tcp or ProbeCheck.Exec => ProbeResult.Failed(TimedOut),
        ProbeCheck.Container => ContainerProbe.Silent,
        ProbeCheck.Process or ProbeCheck.Runtime or ProbeCheck.Evidence =>
            ProbeResult.Inconclusive("it could not be read in time"),
    };
}
