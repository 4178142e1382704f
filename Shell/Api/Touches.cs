using System;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Loop;

namespace Agent.Shell.Api;

/// <summary>
/// Keeps a process that its owner uses from being taken for idle. Sparing with events: a use within the last
/// sixteenth of the idle timeout says nothing new.
/// </summary>
internal sealed class Touches(IHost host)
{
    private const int PartsOfTimeout = 16;

    public async ValueTask NoteAsync(ProcessState state, Principal by, CancellationToken stop)
    {
        if (state is not ProcessState.Running running || by.Uid != state.Profile.Spec.Owner.Uid) return;
        if (Pause(state) is not { } pause || host.Now - running.TouchedAt < pause) return;
        await host.PostAsync(new HostEvent.ProcessRequested(state.Profile.Id, by, new ProcessEvent.Touched()), stop);
    }

    /// <summary>Notes a use that goes on for as long as the task runs.</summary>
    public async Task WhileAsync(Task task, ProcessId id, Principal by, CancellationToken stop)
    {
        while (!task.IsCompleted)
        {
            if (!host.Current.State.Processes.Find(id, by).TryGet(out var state)) break;
            await NoteAsync(state, by, stop);
            if (Pause(state) is not { } pause) break;
            try
            {
                await task.WaitAsync(pause, stop);
            }
            catch (TimeoutException)
            {
                // It goes on: another use to note.
            }
        }

        await task;
    }

    private static TimeSpan? Pause(ProcessState state) =>
        state.Profile.Spec.IdleTimeout.TryGet(out var idle) ? idle / PartsOfTimeout : null;
}
