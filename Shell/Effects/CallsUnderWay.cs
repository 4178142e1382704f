using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Shell.Loop;

namespace Agent.Shell.Effects;

/// <summary>
/// What an interpreter has under way. Each call runs by itself, so one that hangs holds up nothing else, and ends in one
/// event, which its maker sees to: whatever goes wrong is the call's failure.
/// </summary>
/// <param name="start">
/// Over when the core has heard that the agent started. What is asked before waits for it: the core then takes nothing to be
/// under way, and would ask for it twice.
/// </param>
internal sealed class CallsUnderWay(IHost host, Task start) : IAsyncDisposable
{
    /// <summary>Calls under way when the agent ends have this long; what then is not answered the next look tells.</summary>
    private static readonly TimeSpan LastCalls = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly HashSet<Task> _underWay = [];
    private bool _closed;

    /// <summary>Begins the call and returns at once; not at all once the agent ends.</summary>
    /// <param name="call">Its event; none if nobody waits for that any more.</param>
    public void Begin(Func<CancellationToken, Task<HostEvent?>> call)
    {
        lock (_gate)
        {
            if (_closed) return;
            var task = Task.Run(() => ToldAsync(call));
            _underWay.Add(task);
            _ = task.ContinueWith(
                done =>
                {
                    lock (_gate) _underWay.Remove(done);
                },
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    /// <summary>Begins nothing more, and waits a little for what is under way.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] rest;
        lock (_gate)
        {
            if (_closed) return;
            _closed = true;
            rest = [.. _underWay];
        }

        await Task.WhenAll(rest).WaitAsync(LastCalls).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _closing.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(rest).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
    }

    private async Task ToldAsync(Func<CancellationToken, Task<HostEvent?>> call)
    {
        try
        {
            await start.WaitAsync(_closing.Token).ConfigureAwait(false);
            if (await call(_closing.Token).ConfigureAwait(false) is not { } outcome) return;
            await host.PostAsync(outcome, _closing.Token).ConfigureAwait(false);
        }
        catch (Exception end) when (end is OperationCanceledException or ChannelClosedException)
        {
            // The agent ends; the next one judges by what it finds.
        }
    }
}
