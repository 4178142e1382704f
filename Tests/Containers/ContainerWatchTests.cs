using System;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Core.Host;
using Agent.Shell.Containers;
using Agent.Shell.Sources;
using Agent.Tests.Probes;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Containers;

/// <summary>What an engine tells by itself, and what becomes of that when it breaks off.</summary>
public sealed class ContainerWatchTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly FakeEngine _engine = new();
    private readonly DeclaredContainers _declared;
    private readonly CoreHost _host = new((_, _) => { });
    private readonly CancellationTokenSource _ending = new();
    private readonly SemaphoreSlim _words = new(0);
    private readonly Task _following;

    public ContainerWatchTests()
    {
        _engine.AddImage(BackendWorld.Image);
        _declared = new(new byte[32], () => "runtime.sock", _ => _engine.Connect("here"));
        _host.Advanced += _ => _words.Release();
        _following = new ContainerWatch(_host, _declared).FollowAsync(_ending.Token);
    }

    /// CT-4: whoever begins to listen has missed what went before, so the beginning itself leads to a look; and so does
    /// each change.
    [Fact]
    public async Task The_first_look_comes_with_the_listening()
    {
        await HeardAsync();
        await _declared.Backend.CreateAsync(Rig.Script("web", "sleep 1000"), "d", CancellationToken.None);
        await HeardAsync();
    }

    /// CT-4: after a break it listens again by itself, with patience, and looks once it does: what happened meanwhile is
    /// found then, not with the next pass.
    [Fact]
    public async Task What_happened_while_nobody_listened_is_looked_for()
    {
        await HeardAsync();
        _engine.Faults["events"] = new EngineFault.Fail(ContainerFault.Unreachable, "nobody listens");
        _engine.BreakEvents();
        await _declared.Backend.CreateAsync(Rig.Script("web", "sleep 1000"), "d", CancellationToken.None);
        Assert.False(await _words.WaitAsync(TimeSpan.FromMilliseconds(200)), "nothing can have told it");
        _engine.Faults.TryRemove("events", out _);
        await HeardAsync();
    }

    /// CT-4: an engine whose address is another is left, although it goes on telling, and the other one is listened to.
    [Fact]
    public async Task Another_address_is_another_engine_to_listen_to()
    {
        var folder = Directory.CreateTempSubdirectory("engines-").FullName;
        try
        {
            var (first, second) = (Path.Combine(folder, "1"), Path.Combine(folder, "2"));
            await using var old = new LittleEngine(first, TellAsync);
            await using var other = new LittleEngine(second, TellAsync);
            var socket = first;
            using var declared = new DeclaredContainers(
                new byte[32], () => socket, at => at.Connect(new ContainerLabels("0123456789abcdef"), folder));
            using var ending = new CancellationTokenSource();
            using var host = new CoreHost((_, _) => { });
            var following = new ContainerWatch(host, declared).FollowAsync(ending.Token);
            await ListenedToAsync(old);
            socket = second;
            _ = declared.Backend;
            await ListenedToAsync(other);
            await ending.CancelAsync();
            await following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        static Task TellAsync(Stream to, string asked, CancellationToken stop) =>
            asked.Contains("/events", StringComparison.Ordinal)
                ? EventsAsync(to, stop)
                : LittleServer.SayAsync(
                    to, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 21\r\n\r\n{\"ApiVersion\":\"1.41\"}", stop);

        static async Task EventsAsync(Stream to, CancellationToken stop)
        {
            await LittleServer.SayAsync(to, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", stop);
            await LittleServer.HangAsync(stop);
        }

        static async Task ListenedToAsync(LittleEngine engine)
        {
            using var patience = new CancellationTokenSource(Patience);
            while (!engine.Lines.Any(line => line.Contains("/events", StringComparison.Ordinal))) await Task.Delay(10, patience.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _host.Dispose();
        _declared.Dispose();
        _words.Dispose();
        _ending.Dispose();
    }

    private async Task HeardAsync()
    {
        Assert.True(await _words.WaitAsync(Patience), "no word came");
        lock (_host.Events)
        {
            Assert.Equal(new HostEvent.ContainersReported(new ContainersEvent.EngineChanged()), _host.Events[^1]);
        }
    }
}
