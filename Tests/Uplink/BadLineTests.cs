using System;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Plane;
using Agent.Core.Rollout;
using Agent.Shell.Uplink;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;
using Xunit.Abstractions;

namespace Agent.Tests.Uplink;

/// <summary>A host and its plane over a line that loses, delays and cuts; and with everything full.</summary>
public sealed class BadLineTests(ITestOutputHelper output)
{
    private static CancellationToken None => CancellationToken.None;

    /// WI-4, RO-10: half of all connections are dropped, answers are cut in their middle and come late; everything
    /// arrives, nothing has effect twice, and the plane ends where the host is.
    [Theory]
    [InlineData(7, 0.05, 200, 60)]
    [InlineData(11, 0.2, 20, 60)]
    [InlineData(5, 0, 2000, 10)]
    public async Task Over_a_bad_line_everything_arrives_once(int seed, double cuts, int delayMs, int flaps)
    {
        await using var plane = await RealPlane.OpenAsync(seed);
        var host = await plane.EnrolAsync("web-1");
        (plane.Line.Drops, plane.Line.Cuts, plane.Line.Delay) = (0.5, cuts, TimeSpan.FromMilliseconds(delayMs));
        await host.AttachAsync();
        var id = await host.SoakAsync(1);
        for (var round = 0; round < flaps; round++)
        {
            await host.TellAsync(EnrolledHost.Flap(id, round));
            if (round % 20 == 10) await host.DrainAsync(TimeSpan.FromMinutes(3));
        }

        await host.TellAsync(id, new RolloutEvent.HaltRequested());
        await host.DrainAsync(TimeSpan.FromMinutes(3));
        Assert.True(plane.Line.Broken > 0, "the line was to be bad");
        plane.Mirrors(host, id);
        Assert.Empty(host.Outbox.Queue.Dead);
        output.WriteLine($"accepted once and came again: {plane.NothingTwice(host.Name)}, resets {plane.Line.Broken}");
    }

    /// WI-3, WI-4, CO-9: the plane has taken an event and its answer is lost; it is told again and changes nothing.
    [Fact]
    public async Task An_answer_lost_after_the_commit_has_no_effect_twice()
    {
        await using var plane = await RealPlane.OpenAsync();
        var host = await plane.EnrolAsync("web-1");
        await host.AttachAsync();
        var id = await host.SoakAsync(1);
        await host.DrainAsync();

        plane.Line.LoseAnswers(1);
        await host.TellAsync(EnrolledHost.Flap(id, 0));
        Assert.True(await plane.Line.Lost.WaitAsync(TimeSpan.FromSeconds(30)), "an answer was to be lost");
        Assert.Equal(host.Rollout(id).Profile.Seq, plane.Mirror(host.Name, id)!.Profile.Seq);
        await host.WhenAsync<OutboxState.Waiting>();
        Assert.StartsWith("telling what happened: https://localhost", host.Failure, StringComparison.Ordinal);
        var before = plane.Mirror(host.Name, id);
        await host.DrainAsync();
        Assert.Same(before, plane.Mirror(host.Name, id));
        plane.Mirrors(host, id);
        Assert.True(plane.NothingTwice(host.Name).Again >= 1, "it was to come again");
        Assert.Equal("", host.Failure);
    }

    /// WI-4: the plane is away for longer than the queue is long: observations go, each is counted, no transition
    /// does; once the plane is back it stands where the host does.
    [Fact]
    public async Task A_full_queue_sheds_observations_and_ends_well()
    {
        await using var plane = await RealPlane.OpenAsync();
        var host = await plane.EnrolAsync("web-1");
        plane.Line.IsOpen = false;
        await host.AttachAsync();
        var id = await host.SoakAsync(1);
        var (transitions, queued) = (host.Outbox.Queue.Items.Transitions, host.Outbox.Queue.Items.Count);
        const int flaps = 11_000;
        for (var round = 0; round < flaps; round++) await host.Host.PostAsync(EnrolledHost.Flap(id, round), None);
        await host.TellAsync(new HostEvent.Outbox(new OutboxEvent.Attached()));

        var queue = host.Outbox.Queue;
        Assert.Equal(OutboxQueue.Capacity, queue.Items.Count);
        Assert.Equal(flaps + queued - OutboxQueue.Capacity, queue.Shed);
        Assert.Equal(transitions, queue.Items.Transitions);

        plane.Line.IsOpen = true;
        await host.DrainAsync(TimeSpan.FromMinutes(3));
        plane.Mirrors(host, id);
        plane.NothingTwice(host.Name);
    }

    /// WI-4, WI-6: a queue full of transitions takes no new rollout, and says why.
    [Fact]
    public async Task A_queue_full_of_transitions_takes_no_new_rollout()
    {
        await using var plane = await RealPlane.OpenAsync();
        plane.Line.IsOpen = false;
        var owed = OutboxQueue.Empty;
        for (var seq = 1; owed.Admits; seq++)
        {
            owed = owed.Append(
                EnrolledHost.Order(1).Id, seq, RealPlane.Now, new RolloutEvent.HaltRequested(), Importance.Transition);
        }

        var later = RealPlane.Now + TimeSpan.FromHours(1);
        var full = HostState.Initial with { Outbox = new OutboxState.Waiting(owed, later, 1, "away") };
        var host = await plane.EnrolAsync("web-1", full);
        var decision = await host.Host.AskAsync(new HostEvent.RolloutOrdered(Principal.Root, EnrolledHost.Order(2)), None);
        Assert.Equal(ErrorCode.OutboxFull, decision.Refusal?.Code);

        // Nobody knows that rollout any more, neither here nor there: what is owed of it holds up nothing.
        plane.Line.IsOpen = true;
        await host.DrainAsync();
        var id = await host.SoakAsync(2);
        await host.DrainAsync();
        plane.Mirrors(host, id);
    }

    /// CO-4, WI-5: the inbox is flooded, the outbox overflows, the plane comes and goes and a question waits at its bell.
    /// Events are stepped on and on, and it all drains. AGENT_LONG=1 makes it two minutes.
    [Fact]
    public async Task With_every_queue_full_the_loop_goes_on()
    {
        var span = Extent.Of(brief: TimeSpan.FromSeconds(3), full: TimeSpan.FromMinutes(2));
        await using var plane = await RealPlane.OpenAsync();
        var host = await plane.EnrolAsync("web-1");
        await host.AttachAsync();
        var id = await host.SoakAsync(1);
        using var over = new CancellationTokenSource(span);
        var asking = Until(() => host.Watch.DispatchAsync(over.Token), over.Token);
        var beating = Until(() => host.Watch.HeartbeatAsync(over.Token), over.Token);
        var floods = Enumerable.Range(0, 4).Select(n => Until(async () =>
        {
            for (var round = 0; round < 500; round++) await host.Host.PostAsync(EnrolledHost.Flap(id, round + n), over.Token);
            plane.Line.IsOpen = !plane.Line.IsOpen;
        }, over.Token)).ToArray();
        var (latencies, before) = (new System.Collections.Generic.List<double>(), host.Host.Current.Seq);
        while (!over.IsCancellationRequested)
        {
            var asked = Stopwatch.GetTimestamp();
            await host.TellAsync(new HostEvent.Outbox(new OutboxEvent.Attached())).WaitAsync(TimeSpan.FromSeconds(30));
            latencies.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
        }

        await Task.WhenAll([asking, beating, .. floods]).WaitAsync(TimeSpan.FromSeconds(30));
        latencies.Sort();
        output.WriteLine(
            $"{host.Host.Current.Seq - before} events in {span.TotalSeconds} s, {host.Outbox.Queue.Items.Count} owed, "
            + $"{host.Outbox.Queue.Shed} shed; an event waits {latencies[latencies.Count / 2]:0.0} ms, at most {latencies[^1]:0.0} ms");
        plane.Line.IsOpen = true;
        await host.DrainAsync(TimeSpan.FromMinutes(3));
        plane.Mirrors(host, id);
        plane.NothingTwice(host.Name);
    }

    private static Task Until(Func<Task> again, CancellationToken over) => Task.Run(async () =>
    {
        try
        {
            while (!over.IsCancellationRequested) await again();
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // It is over.
        }
    }, CancellationToken.None);
}
