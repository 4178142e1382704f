using System;
using System.Reactive.Concurrency;
using System.Threading;

namespace Agent.Tests.Support;

/// <summary>
/// Virtual time that turns on other threads may book, as the watches' do: Rx's own is for one thread, and loses its
/// place when it is advanced meanwhile.
/// </summary>
internal sealed class VirtualTime : HistoricalScheduler
{
    private readonly Lock _gate = new();

    public void Advance(TimeSpan by)
    {
        lock (_gate) AdvanceBy(by);
    }

    public override IDisposable ScheduleAbsolute<TState>(
        TState state, DateTimeOffset dueTime, Func<IScheduler, TState, IDisposable> action)
    {
        lock (_gate) return base.ScheduleAbsolute(state, dueTime, action);
    }
}
