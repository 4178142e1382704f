using System.Threading;
using System.Threading.Tasks;

namespace Agent.Shell.Output;

/// <summary>Waiting for more without polling: all who wait share one object, so any number of them costs one.</summary>
internal sealed partial class Ring
{
    private TaskCompletionSource? _changed;
    private TaskCompletionSource? _filedMore;

    /// <summary>Ends when there are bytes behind this offset, or none will come.</summary>
    public async Task WaitForMoreAsync(long after, CancellationToken stop)
    {
        while (true)
        {
            // Taken before the look, so that a change between the look and the wait is not missed.
            var changed = NextChange();
            if (End > after || HasEnded) return;
            await changed.WaitAsync(stop).ConfigureAwait(false);
        }
    }

    /// <summary>Completes with the next change after this call.</summary>
    public Task NextChange()
    {
        while (true)
        {
            var existing = Volatile.Read(ref _changed);
            if (existing is not null) return existing.Task;
            var fresh = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (Interlocked.CompareExchange(ref _changed, fresh, null) is null) return fresh.Task;
        }
    }

    /// <summary>Ends when more than that is filed, or nothing more will be.</summary>
    public async Task WaitForFiledAsync(long after, CancellationToken stop)
    {
        while (true)
        {
            var fresh = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var more = (Interlocked.CompareExchange(ref _filedMore, fresh, null) ?? fresh).Task;
            if (Filed > after || IsGone) return;
            await more.WaitAsync(stop).ConfigureAwait(false);
        }
    }

    private void Changed() => Interlocked.Exchange(ref _changed, null)?.TrySetResult();

    private void FiledMore() => Interlocked.Exchange(ref _filedMore, null)?.TrySetResult();
}
