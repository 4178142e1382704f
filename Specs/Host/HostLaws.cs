using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;

namespace Agent.Specs.Host;

/// <summary>What holds for a whole host whatever happens, in whatever order.</summary>
public sealed class HostLaws
{
    private static readonly HostSoup Soup = new();

    /// CO-2, CO-9: the same events lead to the same trace, and none throws.
    [Fact]
    public void It_is_total_and_deterministic() => Soup.IsTotalAndDeterministic();

    /// CO-4, CO-9: deadlines lie ahead of now, or their event makes progress.
    [Fact]
    public void Deadlines_make_progress() => Soup.DeadlinesMakeProgress();

    /// CO-2: what is refused alone leaves the very same state; a step that also acted is no refusal.
    [Fact]
    public void A_refusal_changes_nothing() => Soup.EachStep(moment =>
    {
        var single = moment.Input.Event is HostEvent.SpawnRequested or HostEvent.ProcessRequested
            or HostEvent.ProcessReported or HostEvent.Runtime;
        if (single && moment.Effects.Exists(Soup.IsReject)) Assert.Same(moment.Before, moment.After);
    });

    /// PR-5, upstream unregister_removes_pid, unregister_after_register_clears_call_id_match: a reaped process is
    /// unknown in the same step.
    [Fact]
    public void The_reaped_are_unknown() => Soup.EachStep(moment =>
    {
        foreach (var effect in moment.Effects)
        {
            if (effect is not HostEffect.Process(ProcessEffect.Reap(var id, _))) continue;
            Assert.True(moment.After.Processes.Find(id).IsNone);
        }

        Assert.DoesNotContain(moment.After.Processes.All.Values, state => state is ProcessState.Reaped);
    });

    /// PR-3: a foreign principal changes nothing, and hears what he would hear of an id that never was.
    [Fact]
    public void A_foreign_id_answers_as_an_unknown_one() => Soup.EachStep(moment =>
    {
        if (moment.Input.Event is not HostEvent.ProcessRequested request || request.By.IsRoot) return;
        var mine = moment.Before.Processes.Find(request.Id).Exists(state => state.Profile.Spec.Owner == request.By);
        if (mine) return;
        Assert.Same(moment.Before, moment.After);
        var unknown = HostMachine.Step(HostState.Initial, moment.Input);
        Assert.Equal(unknown.Effects, moment.Effects);
    });

    /// PR-2, upstream retained cap: eight live and thirty-two retained tasks for each user, and what is within bounds
    /// is never refused. Upstream: packs to capacity (controllers): what is over is refused.
    [Fact]
    public void Quotas_are_never_exceeded() => Law.Over(80, Crowd, script => $"{script.Items.Count} events", script =>
    {
        var state = HostState.Initial;
        var now = new Instant(0);
        foreach (var @event in script.Items)
        {
            now += TimeSpan.FromSeconds(1);
            var (live, retained) = Count(state, 1000);
            var step = HostMachine.Step(state, new(now, @event));
            var refused = step.Effects.Exists(Soup.IsReject);
            if (@event is HostEvent.SpawnRequested(var id, _) && state.Processes.Find(id).IsNone)
            {
                Assert.Equal(live >= 8 || retained >= 32, refused);
            }

            state = step.State;
            (live, retained) = Count(state, 1000);
            Assert.True(live <= 8 && retained <= 32, $"{live} live, {retained} retained");
        }
    });

    /// PR-2, upstream carveout_pool_never_grows, registry cap: two hundred and fifty-six tasks in all, root's among
    /// them; services count against none.
    [Fact]
    public void The_registry_is_full_at_256_tasks()
    {
        var state = HostState.Initial;
        for (var i = 0; i < 300; i++)
        {
            var spec = i % 2 == 0 ? Specimens.Task("job") : Specimens.Daemon("d");
            state = HostMachine.Step(state, new(new(i), new HostEvent.SpawnRequested(Ids.Of("r" + i), spec))).State;
        }

        for (var i = 300; i < 600; i++)
        {
            var request = new HostEvent.SpawnRequested(Ids.Of("r" + i), Specimens.Task("job"));
            var step = HostMachine.Step(state, new(new(i), request));
            var tasks = state.Processes.All.Values.Count(known => known.Profile.Spec.Kind == ProcessKind.Task);
            Assert.Equal(tasks >= 256, ReferenceEquals(state, step.State));
            state = step.State;
        }
    }

    private static HostEvent Crowd(Samples samples)
    {
        var id = Ids.Of("c" + samples.Below(60));
        return samples.Below(8) switch
        {
            < 4 => new HostEvent.SpawnRequested(id, Specimens.Task("job", owner: 1000)),
            < 7 => new HostEvent.ProcessReported(id, Specimens.Exit(1)),
            _ => new HostEvent.ProcessRequested(id, new Principal(1000), new ProcessEvent.ReleaseRequested()),
        };
    }

    private static (int Live, int Retained) Count(HostState state, uint uid)
    {
        var mine = state.Processes.All.Values.Where(known => known.Profile.Spec.Owner.Uid == uid).ToArray();
        return (mine.Count(known => known is not ProcessState.Exited), mine.Length);
    }
}
