using System;
using System.Globalization;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Shell.Config;
using Agent.Shell.Effects;
using Agent.Shell.Loop;

namespace Agent.Shell.Probes;

/// <summary>
/// A command that exits with 0. It is a supervised process: the keeper kills it with its whole tree at the timeout,
/// whether the agent lives or not, and what it says costs no more than its rings.
/// </summary>
/// <param name="programs">What it may run; null: anything.</param>
internal sealed class ExecProbe(ICommands commands, IHost host, ProgramRule? programs)
{
    /// <summary>Of the labels of probes' processes; those of a switch begin with its channel or step.</summary>
    public const string LabelPrefix = "probe ";

    private const int LastLines = 3;

    /// <summary>Its end is read at once; this is for a host so busy that "at once" takes seconds.</summary>
    private static readonly TimeSpan Retention = TimeSpan.FromSeconds(10);

    public async Task<ProbeResult> RunAsync(
        RolloutId rollout, ProbeSpec probe, ProbeCheck.Exec check, CancellationToken limit)
    {
        if (check.Command.IsEmpty) return ProbeResult.Inconclusive("it has no command");
        if (Outside(rollout, check) is { } outside) return ProbeResult.Inconclusive($"{ProgramRule.Code}: {outside}");
        var name = $"probe {rollout} {probe.Name} {Ids.New()}";
        var request = new CommandRequest(
            name,
            LabelPrefix + probe.Name,
            [.. check.Command],
            WorkingDirectory: "/",
            Environments.Inherited(),
            probe.Timeout,
            Retention)
        {
            // It has had its time; a probe has nothing to put in order.
            Grace = TimeSpan.Zero,
        };
        try
        {
            return Judge(await commands.RunAsync(request, limit).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (!commands.HasBegun(name))
        {
            return ProbeResult.Inconclusive("it could not be started in time");
        }
    }

    /// <summary>Again at each run: what the rule looks at may not have been there when the manifest came.</summary>
    private string? Outside(RolloutId rollout, ProbeCheck.Exec check) =>
        programs is not null && host.Current.State.Rollouts.Find(rollout).TryGet(out var state)
            ? programs.Fault(state.Profile.Order, check)
            : null;

    private static ProbeResult Judge(CommandEnd end) => end.AtLimit ? ProbeResult.Failed(ProbeRunner.TimedOut)
        : end.Status switch
        {
            ExitStatus.Exited(0) => ProbeResult.Passed("exit code 0"),
            ExitStatus.Exited or ExitStatus.Signaled or ExitStatus.OutOfMemory => ProbeResult.Failed(Describe(end)),
            ExitStatus.Lost or ExitStatus.NeverRan => ProbeResult.Inconclusive(end.Status.Describe()),
        };

    /// <summary>One line for people, without what a terminal would act on.</summary>
    private static string Describe(CommandEnd end)
    {
        var lines = end.Tail.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var words = string.Join(" | ", lines.TakeLast(LastLines));
        var plain = string.Concat(words.Select(c => char.IsControl(c) ? ' ' : c));
        return plain.Length == 0
            ? end.Status.Describe()
            : string.Create(CultureInfo.InvariantCulture, $"{end.Status.Describe()}: {plain}");
    }
}
