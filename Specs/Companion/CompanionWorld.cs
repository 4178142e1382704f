using Agent.Core.Companion;
using Agent.Core.Model;
using Agent.Core.Time;
using Agent.Specs.Simulation;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using Effect = Agent.Core.Companion.CompanionEffect;
using Event = Agent.Core.Companion.CompanionsEvent;

namespace Agent.Specs.Companion;

/// <summary>What an operator or a stranger does, this many whole seconds after the deed before.</summary>
internal sealed record CompanionDeed(int Kind, int Which, int Gap)
{
    private static readonly string[] Names = ["db.service", "web.service", "tick.timer"];

    public static CompanionDeed Sample(Samples samples) => new(samples.Below(6), samples.Below(1000), 1 + samples.Below(90));

    public string Name => Names[Which % Names.Length];

    /// <summary>The web comes after the database, where there is one: no configuration names what it does not declare.</summary>
    public Seq<CompanionSpec> Specs => Names.Where((_, i) => Has(i))
        .Select(name => (name == "web.service" && Has(0) ? Specimens.Companion(name, "db.service") : Specimens.Companion(name)) with
        {
            Digest = "v" + (1 + ((Which >> 5) % 2)),
        })
        .ToArray().ToSeq();

    private bool Has(int name) => ((Which >> name) + 1) % 4 != 0;
}

/// <summary>The set of companions and a systemd in memory, in virtual time that jumps to whatever comes next.</summary>
internal sealed class CompanionWorld(int seed, int? crashAfter = null, string? broken = null)
{
    private static readonly TimeSpan Blink = TimeSpan.FromMilliseconds(4);

    private readonly PriorityQueue<Action, (long At, int Order)> _coming = new();
    private int _order;
    private int _life;

    public Systemd Systemd { get; } = new(broken);

    public Companions State { get; private set; } = Companions.Empty;

    public Instant Now { get; private set; } = new(0);

    public int Steps { get; private set; }

    public List<string> Trace { get; } = [];

    /// <summary>Everything that was done, looks aside.</summary>
    public List<(CompanionName? Name, string Call)> Calls { get; } = [];

    public int Looks { get; private set; }

    public CompanionWorld Run(IReadOnlyList<CompanionDeed> deeds)
    {
        var at = new Instant(0);
        foreach (var deed in deeds)
        {
            at += TimeSpan.FromSeconds(deed.Gap);
            Schedule(at, () => Obey(deed));
        }

        // Longer than every back-off, and where something still waits then, than the circuit's window.
        Until(at + TimeSpan.FromMinutes(4));
        var waits = broken is null && State.All.Values.Exists(state => state.Profile.RetryAt.IsSome);
        return waits ? Until(at + TimeSpan.FromMinutes(40)) : this;
    }

    public CompanionWorld Until(Instant horizon)
    {
        while (Next(horizon)) Assert.True(Steps < 20_000, "the world does not come to rest");
        Now = horizon;
        return this;
    }

    public void Step(Event @event)
    {
        var step = State.Step(new(Now, @event));
        Steps++;
        Trace.Add($"{TracePrinter.At(Now)}  {TracePrinter.Print(@event)} -> {TracePrinter.Print(step.Effects)}");
        State = step.Companions;
        var effects = step.Effects.ToArray();
        var crash = Steps == crashAfter;
        var kept = crash ? (seed & 0xff) % (effects.Length + 1) : effects.Length;
        for (var i = 0; i < kept; i++) Carry(effects[i]);
        if (!crash) return;
        Trace.Add("-- the agent is killed");
        _life++;
        Soon(TimeSpan.FromMilliseconds(20), () => Step(new Event.Recovered()));
    }

    private void Obey(CompanionDeed deed)
    {
        Trace.Add($"{TracePrinter.At(Now)}  -- {deed.Kind} {deed.Name}");
        if (deed.Kind == 0) Systemd.Delete(deed.Name);
        if (deed.Kind == 1) Systemd.Change(deed.Name);
        if (deed.Kind == 2) Systemd.Stop(deed.Name);

        // While the agent is down its callers wait.
        if (deed.Kind == 3) Soon(TimeSpan.Zero, () => Step(new Event.ReconcileRequested()));
        if (deed.Kind > 3) Soon(TimeSpan.Zero, () => Step(new Event.Declared(deed.Specs)));
    }

    private bool Next(Instant horizon)
    {
        var due = State.Deadline;
        var coming = _coming.TryPeek(out _, out var first) ? new Instant(first.At) : horizon;
        var deadline = due.Exists(at => at <= coming);
        var next = deadline ? due.IfNone(coming) : coming;
        if (next >= horizon) return false;
        if (next > Now) Now = next;
        if (deadline) Step(new Event.DeadlineReached());
        else _coming.Dequeue()();
        return true;
    }

    private void Carry(Effect effect)
    {
        if (effect is Effect.Look(var pass, var names))
        {
            Looks++;
            var found = Systemd.Look(names, Now);
            Soon(Blink, () => Step(State.Agrees(found) ? new Event.LookConfirmed(pass) : new Event.Looked(pass, found)));
            return;
        }

        if (effect is Effect.Reject) return;
        var name = CompanionLaws.NameOf(effect);
        Calls.Add((name, effect.GetType().Name));

        // systemd works whether the agent lives to hear of it or not.
        var life = _life;
        Schedule(Now + Blink, () =>
        {
            var why = Systemd.Obey(effect, Now);
            if (life == _life) Soon(Blink, () => Step(Answer(effect, name, why)));
        });
    }

    private Event Answer(Effect effect, CompanionName? name, string? why)
    {
        if (effect is Effect.Reload(var number)) return new Event.ReloadCompleted(number);
        var call = State.Find(name!).Map(state => state.Profile.Calls).IfNone(0);
        return new Event.One(name!, why is null ? new CompanionEvent.CallCompleted(call) : new CompanionEvent.CallFailed(call, why));
    }

    private void Schedule(Instant at, Action action) => _coming.Enqueue(action, (at.UnixMilliseconds, _order++));

    /// <summary>Something in the agent's own memory: it is gone when the agent is.</summary>
    private void Soon(TimeSpan delay, Action action)
    {
        var life = _life;
        Schedule(Now + delay, () =>
        {
            if (life == _life) action();
            else if (delay == TimeSpan.Zero) Soon(TimeSpan.FromSeconds(1), action);
        });
    }
}
