using System;
using System.IO;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Shell.Activators.Releases;
using Agent.Shell.Config;
using Agent.Shell.Linux;

namespace Agent.Shell.Probes;

/// <summary>
/// Which programs exec probes may run, as `rollout.execProbes` says. Under `release` a program lies in the release that
/// the manifest asks for, wherever links lead, so that nothing runs that no signer of releases vouched for. It is named
/// by its place there or by way of the link to what runs. Its arguments are the manifest's: a release for such a host
/// brings no shell.
/// </summary>
internal sealed class ProgramRule(ReleaseStore store, Func<RolloutSettings> settings)
{
    /// <summary>What a manifest is refused with.</summary>
    public const string Code = "probe-outside-release";

    /// <summary>Why a host may not follow an order, or null. What is not there yet is looked at when it runs.</summary>
    public string? Fault(RolloutOrder order)
    {
        foreach (var probe in order.Probes)
        {
            if (probe.Check is ProbeCheck.Exec exec && Fault(order, exec) is { } why) return $"probe {probe.Name}: {why}";
        }

        return null;
    }

    public string? Fault(RolloutOrder order, ProbeCheck.Exec check)
    {
        var own = settings();
        if (own.ExecProbes == ProbePrograms.Any || check.Command.IsEmpty) return null;
        var program = check.Command[0];
        var (release, running) = Places(order, own);
        if (Path.GetFullPath(program) != program) return $"{program} is not written plainly";

        // What runs is the release before until the switch; the probe runs after it.
        var meant = IsBelow(program, running) ? release + program[running.Length..] : program;
        if (!IsBelow(meant, release)) return $"{program} is no program of {order.Target}; it would be below {running}";
        return Descriptors.Real(meant) is { } real && Descriptors.Real(release) is { } root && !IsBelow(real, root)
            ? $"{program} leads out of {order.Target}, to {real}"
            : null;
    }

    /// <summary>Where the release is or will be, and the link to the one that runs.</summary>
    private (string Release, string Running) Places(RolloutOrder order, RolloutSettings own) =>
        order.Activator == ActivatorKind.Release
            ? (store.PathOf(order.Target.Value[ReleaseId.ArchivePrefix.Length..]), store.PathOfCurrent(order.Channel.Value))
            : (own.Nixos.OnDisk(order.Target.Value), own.Nixos.CurrentSystem);

    private static bool IsBelow(string path, string directory) =>
        path.StartsWith(directory + "/", StringComparison.Ordinal);
}
