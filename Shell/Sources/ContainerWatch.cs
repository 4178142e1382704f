using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Core.Host;
using Agent.Shell.Containers;
using Agent.Shell.Loop;
using Agent.Shell.Observability;

namespace Agent.Shell.Sources;

/// <summary>
/// What the engine tells of our containers, as one word: something changed. Which container and how, the list says, that
/// the word leads to.
/// </summary>
internal sealed class ContainerWatch(IHost host, DeclaredContainers declared)
{
    /// <summary>A turn lasts for as long as it is wanted; one that nobody foresaw the end of is followed by the next.</summary>
    public static TimeSpan Again => TimeSpan.FromSeconds(5);

    /// <summary>However much happens, a list a second is enough; the first word is passed on at once.</summary>
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    /// <summary>A stream that lasted as long was a good one, and the next is begun at once.</summary>
    private static readonly TimeSpan Steady = TimeSpan.FromSeconds(10);

    /// <summary>An engine that is away is asked again after 1 s, 2 s, 4 s and from then on this.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>One stream after the other. What went by before each began, the list tells that its beginning leads to.</summary>
    public async Task FollowAsync(CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);

        // One word is as good as many, so what finds one waiting adds none.
        var news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        var telling = TellAsync(news.Reader, ending.Token);
        try
        {
            for (var fruitless = 0; ;)
            {
                var begun = Stopwatch.GetTimestamp();
                var why = await ListenAsync(news.Writer, ending.Token).ConfigureAwait(false);
                if (fruitless == 0) Log.Warn("the container engine tells nothing, it is asked again", ("why", why));
                fruitless = Stopwatch.GetElapsedTime(begun) >= Steady ? 0 : fruitless + 1;
                await Task.Delay(Pause(fruitless), ending.Token).ConfigureAwait(false);
            }
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await telling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Answers why it ended.</summary>
    private async Task<string> ListenAsync(ChannelWriter<bool> news, CancellationToken stop)
    {
        try
        {
            await foreach (var _ in declared.Backend.EventsAsync(() => news.TryWrite(true), stop).ConfigureAwait(false))
            {
                news.TryWrite(true);
            }

            return "the configuration names another";
        }
        catch (ContainerException failure)
        {
            return failure.Message;
        }
    }

    private async Task TellAsync(ChannelReader<bool> news, CancellationToken stop)
    {
        while (true)
        {
            await news.ReadAsync(stop).ConfigureAwait(false);
            await host.PostAsync(new HostEvent.ContainersReported(new ContainersEvent.EngineChanged()), stop).ConfigureAwait(false);
            await Task.Delay(Between, stop).ConfigureAwait(false);
        }
    }

    private static TimeSpan Pause(int fruitless) => fruitless switch
    {
        0 => TimeSpan.Zero,
        <= 3 => TimeSpan.FromSeconds(1 << (fruitless - 1)),
        _ => LongestPause,
    };
}
