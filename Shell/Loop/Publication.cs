using System;
using System.Threading;
using System.Threading.Tasks;

namespace Agent.Shell.Loop;

/// <summary>
/// The newest durable state, and a way to wait for the next one. Written by the loop alone; a reader takes one
/// reference and needs no lock.
/// </summary>
internal sealed class Publication<TState>(Published<TState> initial)
{
    private Published<TState> _current = initial;
    private TaskCompletionSource? _next;

    public Published<TState> Current => Volatile.Read(ref _current);

    public void Publish(Published<TState> next)
    {
        Volatile.Write(ref _current, next);
        Interlocked.Exchange(ref _next, null)?.TrySetResult();
    }

    public async Task<Published<TState>> WhenAsync(Func<Published<TState>, bool> condition, CancellationToken stop)
    {
        while (true)
        {
            // The signal is taken before the state is read, so a state published in between wakes it at once.
            var next = NextSignal();
            var current = Current;
            if (condition(current)) return current;
            await next.WaitAsync(stop).ConfigureAwait(false);
        }
    }

    private Task NextSignal()
    {
        while (true)
        {
            var existing = Volatile.Read(ref _next);
            if (existing is not null) return existing.Task;
            var fresh = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (Interlocked.CompareExchange(ref _next, fresh, null) is null) return fresh.Task;
        }
    }
}
