using Agent.Core;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using static LanguageExt.Prelude;
using Effect = Agent.Core.Rollout.RolloutEffect;

namespace Agent.Specs.Rollout;

/// <summary>What the host asks of all its rollouts together.</summary>
internal abstract record Errand
{
    private Errand() { }

    public sealed record Accept(RolloutOrder Order) : Errand;

    public sealed record Report(RolloutId Id, RolloutEvent Event) : Errand;

    public sealed record Recover(BootId Boot) : Errand;

    public sealed record Wake : Errand;
}

/// <summary>Random errands against a host that follows three channels, of which new versions come and come again.</summary>
internal sealed class RolloutsSoup : Soup<Rollouts, Errand, Effect>
{
    private static readonly string[] Channels = ["stable", "edge", "tools"];

    protected override Errand DeadlineReached { get; } = new Errand.Wake();

    public override Option<Instant> Deadline(Rollouts state) => state.Deadline;

    public override bool IsReject(Effect effect) => effect is Effect.Reject;

    public static Transition<Rollouts, Effect> Step(Rollouts state, Timed<Errand> input)
    {
        var step = input.Event switch
        {
            Errand.Accept(var order) => state.Accept(order, input.At),
            Errand.Report(var id, var @event) => state.Report(id, new(input.At, @event)),
            Errand.Recover(var boot) => state.Recover(boot, input.At),
            Errand.Wake => state.Wake(input.At),
        };
        return new(step.Rollouts, step.Effects);
    }

    protected override Rollouts Initial(int seed) => Rollouts.Empty;

    protected override Transition<Rollouts, Effect> Step(int seed, Rollouts state, Timed<Errand> input) =>
        Step(state, input);

    protected override Errand Sample(Samples samples) => Any(samples);

    protected override Errand Aim(Rollouts state, Errand @event) => Aimed(state, @event);

    public static Errand Any(Samples samples)
    {
        samples.Pin(random => new BootId("boot" + random.Next(2)));
        return samples.Below(8) switch
        {
            0 or 1 => new Errand.Accept(Order(samples)),
            2 when samples.Below(4) == 0 => new Errand.Recover(samples.Any<BootId>()),
            _ => new Errand.Report(Ids.Rollout(1 + samples.Below(6), Channel(samples)), Told(samples)),
        };
    }

    /// <summary>A report is aimed at whatever is not decided yet, and made to go on with it.
    /// Those that wait for their turn get it from the registry alone.</summary>
    public static Errand Aimed(Rollouts state, Errand @event)
    {
        if (@event is not Errand.Report(var id, var told)) return @event;
        var open = state.All.Values.Filter(rollout => !rollout.IsTerminal && rollout is not RolloutState.Pending)
            .ToArray();
        if (open.Length == 0) return @event;
        var rollout = open[(id.Ref[^1] + told.GetType().Name.Length) % open.Length];
        return new Errand.Report(rollout.Profile.Order.Id, RolloutSoup.GoOn(rollout, told));
    }

    private static RolloutOrder Order(Samples samples)
    {
        var order = Specimens.Order(1 + samples.Below(6), Channel(samples));
        var policy = order.Policy with
        {
            OnFailure = (OnFailure)samples.Below(2),
            Soak = TimeSpan.FromSeconds(samples.Below(3) * 30),
            FailureThreshold = TimeSpan.FromSeconds(samples.Below(3) * 30),
            Unattended = samples.Below(2) == 0,
        };
        return order with
        {
            Policy = policy,

            // Two manifests may claim one version.
            Version = samples.Below(8) == 0 ? 3 : order.Version,
            Probes = samples.Below(2) == 0 ? order.Probes : Seq1(Specimens.Probe("http", ProbeMode.Observe)),
        };
    }

    /// <summary>What the shell and operators tell; turns, successors, deadlines and starts are the registry's own.</summary>
    private static RolloutEvent Told(Samples samples)
    {
        RolloutEvent told;
        do told = samples.Any<RolloutEvent>();
        while (told is RolloutEvent.Activate or RolloutEvent.SuccessorArrived or RolloutEvent.DeadlineReached
            or RolloutEvent.Recovered);
        return told;
    }

    private static string Channel(Samples samples) => Channels[samples.Below(Channels.Length)];
}
