using System.Collections.Concurrent;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;

namespace Agent.Shell.Plane;

/// <summary>
/// Wakes the hosts that wait for work, each by itself: with a hundred thousand of them, waking all for the sake of one
/// would be the plane's main occupation. One question per host waits; a newer one sends the older home.
/// </summary>
internal sealed class DispatchBell
{
    private readonly ConcurrentDictionary<HostName, TaskCompletionSource> _waiting = new();

    public int Waiting => _waiting.Count;

    /// <summary>Taken before the state is looked at, so that what is offered in between is not missed.</summary>
    public Ticket Wait(HostName host)
    {
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.AddOrUpdate(host, mine, (_, older) =>
        {
            older.TrySetResult();
            return mine;
        });
        return new(this, host, mine);
    }

    public void Ring(HostName host)
    {
        if (_waiting.TryGetValue(host, out var waiting)) waiting.TrySetResult();
    }

    /// <summary>A place at the bell, given up when it is disposed.</summary>
    internal sealed class Ticket(DispatchBell bell, HostName host, TaskCompletionSource first) : System.IDisposable
    {
        private TaskCompletionSource _mine = first;

        /// <summary>Ends when the bell is rung, a newer question of the host comes, or the caller gives up.</summary>
        public Task RungAsync(CancellationToken stop) => _mine.Task.WaitAsync(stop);

        /// <summary>Waits on in the same place; false where a newer question of this host has taken it.</summary>
        public bool TryStay()
        {
            var next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (!bell._waiting.TryUpdate(host, next, _mine)) return false;
            _mine = next;
            return true;
        }

        public void Dispose() => bell._waiting.TryRemove(new(host, _mine));
    }
}
