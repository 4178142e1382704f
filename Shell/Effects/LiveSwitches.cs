using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Loop;
using Agent.Shell.Probes;
using LanguageExt;

namespace Agent.Shell.Effects;

/// <summary>The commands of switches that run now, whichever agent began them.</summary>
internal sealed class LiveSwitches(IHost host)
{
    /// <summary>
    /// Returns when none of those that run now does: a command outlives the agent that began it, and nothing is
    /// switched beside one. Each has its own limit, so this wait has an end.
    /// </summary>
    public async Task QuietAsync(CancellationToken stop)
    {
        var live = Live(host.Current.State).Select(state => state.Profile.Id).ToHashSet();
        await host.WhenAsync(now => !Live(now.State).Any(state => live.Contains(state.Profile.Id)), stop);
    }

    /// <summary>Stops those that run now, kills what does not stop, and returns when they are over.</summary>
    public async Task EndAsync(CancellationToken stop)
    {
        foreach (var state in Live(host.Current.State).ToArray())
        {
            var end = new ProcessEvent.StopRequested(Option<TimeSpan>.None);
            await host.AskAsync(new HostEvent.ProcessRequested(state.Profile.Id, Principal.Root, end), stop);
        }

        await QuietAsync(stop);
    }

    private static IEnumerable<ProcessState> Live(HostState state) => state.Processes.All.Values.Where(one =>
        one is not (ProcessState.Exited or ProcessState.Reaped)
        && one.Profile.Spec.Kind == ProcessKind.Activation
        && !one.Profile.Spec.Label.StartsWith(ExecProbe.LabelPrefix, StringComparison.Ordinal));
}
