using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;
using Effect = Agent.Core.Rollout.RolloutEffect;
using Event = Agent.Core.Rollout.RolloutEvent;

namespace Agent.Specs.Rollout;

/// <summary>Several rollouts of one host, told; of the rollouts only those that changed are printed.</summary>
public sealed class RegistryTraces
{
    private static readonly RolloutId First = Ids.Rollout(1);
    private static readonly RolloutId Second = Ids.Rollout(2);

    /// RO-3 (successor_opened → Superseded): the newer one has its turn in the step that brought it.
    [Fact]
    public void A_newer_one_comes_while_it_soaks() => Tell("A newer manifest comes while the older one soaks.")
        .At(0, new Errand.Accept(Specimens.Order(1)))
        .At(1, Started(First, 0), Completed(First, 1))
        .At(30, new Errand.Accept(Specimens.Order(2)))
        .At(31, Started(Second, 1), Completed(Second, 2))
        .At(40, new Errand.Accept(Specimens.Order(1)))
        .IsAsWritten("superseded-while-soaking");

    /// RO-3: a switch is not cut off; when it is over the newer one has its turn in the same step.
    [Fact]
    public void A_newer_one_waits_for_a_switch() => Tell("A newer manifest comes in the middle of a switch.")
        .At(0, new Errand.Accept(Specimens.Order(1)))
        .At(1, Started(First, 0))
        .At(2, new Errand.Accept(Specimens.Order(2)))
        .At(3, Completed(First, 1))
        .At(4, Started(Second, 1), Completed(Second, 2))
        .IsAsWritten("waits-for-a-switch");

    /// RO-3, RO-8: a rollback that failed once holds up nothing newer.
    [Fact]
    public void A_newer_one_comes_while_the_way_back_fails() => Tell("The way back fails too, and a newer manifest is the way out.")
        .At(0, new Errand.Accept(Specimens.Order(1)))
        .At(1, Started(First, 0))
        .At(2, new Errand.Report(First, new Event.ActivationFailed(1, "hook-failed", "exit 1")))
        .At(3, new Errand.Accept(Specimens.Order(2)))
        .At(4, new Errand.Report(First, new Event.RollbackFailed(2, "hook-failed", "exit 1")))
        .IsAsWritten("newer-one-while-the-way-back-fails");

    /// RO-3: channels take turns on a host; what a failure needs is decided at once and carried out in its turn.
    [Fact]
    public void Two_channels_take_turns() => Tell("One channel fails its probe while another is being switched.")
        .At(0, new Errand.Accept(Specimens.Order(1)), new Errand.Accept(Specimens.Order(5, "edge")))
        .At(1, Started(First, 0), Completed(First, 1))
        .At(2, Failed(First))
        .At(3, new Errand.Report(First, new Event.RollbackRequested()))
        .AtDeadline(state => state.Deadline, new Errand.Wake())
        .AtDeadline(state => state.Deadline, new Errand.Wake())
        .After(1, Completed(Ids.Rollout(5, "edge"), 5))
        .After(1, new Errand.Report(First, new Event.RollbackCompleted(2, Ids.Release(0))))
        .IsAsWritten("two-channels");

    /// RO-5: nothing gates it, and its manifest says that this is meant; without that word it is refused.
    [Fact]
    public void Unattended_it_converges_at_once()
    {
        var order = Specimens.Order(1);
        var open = order with { Policy = order.Policy with { Soak = TimeSpan.Zero }, Probes = Seq<ProbeSpec>() };
        Tell("A manifest without soak and probes.")
            .At(0, new Errand.Accept(open))
            .At(1, new Errand.Accept(open with { Policy = open.Policy with { Unattended = true } }))
            .At(2, Started(First, 0), Completed(First, 1))
            .IsAsWritten("unattended");
    }

    private static Story<Rollouts, Errand, Effect> Tell(string prose) =>
        new(prose, Rollouts.Empty, RolloutsSoup.Step, Changes);

    private static IEnumerable<string> Changes(Rollouts before, Rollouts after) => after.All.Values
        .Where(state => !before.Find(state.Profile.Order.Id).Exists(old => ReferenceEquals(old, state)))
        .Select(state => TracePrinter.Print(state));

    private static Errand Started(RolloutId id, int running) =>
        new Errand.Report(id, new Event.ActivationStarted(1, Ids.Release(running), "release"));

    private static Errand Completed(RolloutId id, int running) =>
        new Errand.Report(id, new Event.ActivationCompleted(1, Ids.Release(running)));

    private static Errand Failed(RolloutId id) => new Errand.Report(id, new Event.ProbeReported(
        1, Ids.Probe("http"), new ProbeOutcome.Failed("refused"), Seq<ControlResult>()));
}
