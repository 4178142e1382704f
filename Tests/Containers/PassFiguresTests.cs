using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Containers;
using Agent.Shell.Effects;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;
using Xunit.Abstractions;

namespace Agent.Tests.Containers;

/// <summary>
/// What passes over two hundred containers cost, counted at the seam: one call of <see cref="IContainerBackend"/> is one.
/// An install is three (look for the image, create, start), making anew what is gone two (create, start), a restart one, a
/// replacement five (the image, stop, remove, create, start). A pass begins one of them at most for each container, its
/// answer leads to the next.
/// </summary>
public sealed class PassFiguresTests : IAsyncDisposable
{
    private const int Count = 200;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ITestOutputHelper _output;
    private readonly FakeEngine _engine = new();
    private readonly DeclaredContainers _declared;
    private readonly CoreHost _host;
    private readonly ContainerInterpreter _interpreter;

    public PassFiguresTests(ITestOutputHelper output)
    {
        _output = output;
        _engine.AddImage(BackendWorld.Image);
        _declared = new(new byte[32], () => "runtime.sock", _ => _engine.Connect("here"));
        ContainerInterpreter? interpreter = null;
        _host = new CoreHost((_, effect) =>
        {
            if (effect is HostEffect.Container(var asked)) interpreter!.Run(asked);
        });
        _interpreter = interpreter = new(_host, _declared, Task.CompletedTask);
    }

    /// CT-4, CT-5: a pass costs one list, and for what changed the calls that it needs; nothing for what did not.
    [Fact]
    public async Task A_pass_costs_a_list_and_the_calls_for_what_changed()
    {
        await _host.AskAsync(new HostEvent.Started(new BootId("b"), Seq<ObservedProcess>.Empty), CancellationToken.None);
        Assert.Equal(
            "create 200, image 200, list 1, start 200", await TellAsync("all installed", () => DeclareAsync(changed: 0)));
        Assert.Equal("list 1", await TellAsync("nothing to do", ReconcileAsync));

        Assert.Equal("create 7, list 1, start 7", await TellAsync("seven gone", async () =>
        {
            using var operators = _engine.Connect("here");
            for (var i = 0; i < 7; i++) await operators.RemoveAsync(Uid(i), CancellationToken.None);
            _engine.Calls.Clear();
            await ReconcileAsync();
        }));
        Assert.Equal("list 1, start 5", await TellAsync("five ended", async () =>
        {
            for (var i = 10; i < 15; i++)
            {
                _engine.SetStatus("here", Uid(i).Value, new ContainerStatus.Exited(1, OutOfMemory: false));
            }

            await ReconcileAsync();
        }));
        Assert.Equal(
            "create 3, image 3, list 1, remove 3, start 3, stop 3",
            await TellAsync("three with another definition", () => DeclareAsync(changed: 3)));
        Assert.Equal("list 1", await TellAsync("nothing to do again", ReconcileAsync));
    }

    public async ValueTask DisposeAsync()
    {
        await _interpreter.DisposeAsync();
        _host.Dispose();
        _declared.Dispose();
    }

    private static ContainerUid Uid(int i) => Rig.Uid(string.Create(CultureInfo.InvariantCulture, $"c{i:000}"));

    /// <summary>The calls by their kinds, from the deed until all run and nothing is under way.</summary>
    private async Task<string> TellAsync(string what, Func<Task> deed)
    {
        _engine.Calls.Clear();
        var pass = _host.Current.State.Containers.Pass;
        var watch = Stopwatch.StartNew();
        await deed();
        using var limit = new CancellationTokenSource(Patience);
        await _host.WhenAsync(
            at => at.State.Containers is { Passing: PassState.Resting } set && set.Pass > pass && set.All.Values.All(Runs),
            limit.Token);
        var took = watch.Elapsed;
        var calls = _engine.Calls.ToArray();
        var kinds = string.Join(", ", calls.Select(call => call.Split(' ')[0]).GroupBy(kind => kind)
            .OrderBy(kind => kind.Key, StringComparer.Ordinal).Select(kind => $"{kind.Key} {kind.Count()}"));
        _output.WriteLine(FormattableString.Invariant(
            $"{Count} containers, {what}: {calls.Length} calls ({kinds}) in {took.TotalMilliseconds:0} ms"));
        return kinds;
    }

    private static bool Runs(ContainerState state) => state is
        ContainerState.Idle { Profile.Seen: Sighting.Present({ Status: ContainerStatus.Running(PidAlive: true) }) };

    private Task ReconcileAsync() => _host.AskAsync(
        new HostEvent.ContainersRequested(Principal.Root, new ContainersEvent.ReconcileRequested()), CancellationToken.None);

    /// <param name="changed">So many of them otherwise than at first.</param>
    private Task DeclareAsync(int changed)
    {
        var definitions = Enumerable.Range(0, Count)
            .Select(i => Rig.Script(Uid(i).Value, i < changed ? "echo anew; sleep 1000" : "sleep 1000") with
            {
                Restart = ContainerRestart.Always,
            });
        var declared = _declared.Declare(new(null, new EngineAddress.Socket("/engine.sock"), Install: true, [.. definitions]));
        return _host.AskAsync(new HostEvent.ContainersReported(declared), CancellationToken.None);
    }
}
