using System;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Core.Host;
using Agent.Shell.Containers;
using Agent.Shell.Loop;

namespace Agent.Shell.Sources;

/// <summary>
/// What the engine tells of our containers, as one word: something changed. Which container and how, the list says, that
/// the word leads to.
/// </summary>
internal sealed class ContainerWatch(IHost host, DeclaredContainers declared)
{
    /// <summary>An engine that is away is told by the passes; its events are asked for again after this.</summary>
    public static TimeSpan Again => TimeSpan.FromSeconds(5);

    /// <summary>However much happens, a list a second is enough; the first word is passed on at once.</summary>
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    /// <summary>One stream, until it ends or breaks. What went by while there was none, the next list tells.</summary>
    public async Task FollowAsync(CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);

        // One word is as good as many, so what finds one waiting adds none.
        var news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        var telling = TellAsync(news.Reader, ending.Token);
        try
        {
            await foreach (var _ in declared.Backend.EventsAsync(ending.Token).ConfigureAwait(false))
            {
                news.Writer.TryWrite(true);
            }
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await telling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
}
