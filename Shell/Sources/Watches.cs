using System;
using System.Reactive;
using System.Reactive.Concurrency;
using System.Reactive.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Observability;

namespace Agent.Shell.Sources;

/// <summary>Something done again and again, until it is disposed.</summary>
internal static class Watches
{
    public static IDisposable Every(TimeSpan every, Func<CancellationToken, Task> turn) =>
        Repeat(every, every, DefaultScheduler.Instance, turn);

    /// <summary>
    /// The next turn's wait begins when this turn is over, so there is one at a time and a slow one costs its own
    /// time alone. A turn that fails is told of and followed by the next.
    /// </summary>
    public static IDisposable Repeat(
        TimeSpan first, TimeSpan every, IScheduler scheduler, Func<CancellationToken, Task> turn) =>
        Turn(first, scheduler, turn).Concat(Turn(every, scheduler, turn).Repeat()).Subscribe();

    private static IObservable<Unit> Turn(TimeSpan after, IScheduler scheduler, Func<CancellationToken, Task> turn) =>
        Observable
            .Timer(after, scheduler)
            .SelectMany(_ => Observable.FromAsync(turn))
            .Catch((Exception error) =>
            {
                Log.Warn("a watch failed and goes on", ("error", error.Message));
                return Observable.Empty<Unit>();
            });
}
