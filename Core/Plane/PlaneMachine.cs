using Agent.Core.Model;
using Agent.Core.Time;
using Effect = Agent.Core.Plane.PlaneEffect;
using Event = Agent.Core.Plane.PlaneEvent;
using State = Agent.Core.Plane.PlaneState;

namespace Agent.Core.Plane;

/// <summary>
/// The whole plane. It offers what manifests ask for, wave by wave, mirrors what hosts tell by stepping the machine that
/// they step, and shuts away what went wrong. It holds no key and decides nothing for a host: that one checks every offer
/// against the signature. No event costs more than its own hosts, but for a publication and a wave that opens.
/// </summary>
public static partial class PlaneMachine
{
    /// <summary>So long after its end is a token told from one that never was.</summary>
    public static TimeSpan ExpiredTokensKept => TimeSpan.FromDays(1);

    /// <summary>What a host declines, for want of room or for a wrong clock, it may take a little later.</summary>
    public static TimeSpan DeclinedFor => TimeSpan.FromMinutes(5);

    public static Transition<State, Effect> Step(State state, Timed<Event> input) => input.Event switch
    {
        // Nothing is owed: what a host may have is read from the state when it asks, and a certificate whose answer was
        // lost is asked for again.
        Event.Started => Stay(state),
        Event.Published(var order) => Publish(state, order, input.At),
        Event.TokenIssued(var token, var host, var expires) => Issue(state, token, host, expires, input.At),
        Event.EnrolRequested(var token, var host, var key) => Enrol(state, token, host, key, input.At),
        Event.Certified(var host, var certificate) => Certify(state, host, certificate),
        Event.HostRevoked(var host) => Revoke(state, host, input.At),
        Event.Heartbeat(var host, var report) => Hear(state, host, report),
        Event.Told(var host, var tellings) => Take(state, host, tellings, input.At),
        Event.HaltRequested(var channel) => Halt(state, channel),
        Event.ResumeRequested(var channel) => Resume(state, channel),
        Event.DeadlineReached => Wake(state, input.At),
    };

    /// <summary>The next instant at which something must be looked at, if any.</summary>
    public static Option<Instant> Deadline(State state) => state.Due;

    /// <summary>
    /// Forgets what is over. A pass over all hosts, at most once a second: what is due is rounded up to whole seconds.
    /// </summary>
    private static Transition<State, Effect> Wake(State state, Instant now)
    {
        if (!state.Due.TryGet(out var due) || due > now) return Stay(state);
        var (next, offers) = (state with { Due = None }, Map<OrdRolloutId, RolloutId, Seq<HostName>>());
        foreach (var (id, token) in state.Tokens.AsEnumerable())
        {
            var over = WholeSecond(token.Expires + ExpiredTokensKept);
            next = over <= now
                ? next with { Tokens = next.Tokens.Remove(id) }
                : next with { Due = Instant.Earlier(next.Due, over) };
        }

        foreach (var host in state.Hosts.Values)
        {
            var kept = host.Declined;
            foreach (var (id, declined) in host.Declined.AsEnumerable())
            {
                var over = WholeSecond(declined.At + DeclinedFor);
                if (over > now)
                {
                    next = next with { Due = Instant.Earlier(next.Due, over) };
                    continue;
                }

                kept = kept.Remove(id);
                offers = offers.AddOrUpdate(id, offers.Find(id).IfNone(Seq<HostName>()).Add(host.Name));
            }

            if (kept.Count != host.Declined.Count) next = With(next, host with { Declined = kept });
        }

        var effects = Seq<Effect>();
        foreach (var (id, hosts) in offers.AsEnumerable())
        {
            var offered = hosts.Filter(host => MayHave(next, id, host)).Strict();
            if (!offered.IsEmpty) effects = effects.Add(new Effect.Offer(id, offered));
        }

        return new(next, effects);
    }

    private static State WithDue(State state, Instant at) =>
        state with { Due = Instant.Earlier(state.Due, WholeSecond(at)) };

    private static Instant WholeSecond(Instant at) => new((at.UnixMilliseconds + 999) / 1000 * 1000);

    /// <summary>The host, be it met for the first time; none where the plane takes no more.</summary>
    private static Option<PlaneHost> Meet(State state, HostName name) =>
        state.Hosts.Find(name).TryGet(out var known) ? known
        : state.Hosts.Count < State.MaxHosts ? PlaneHost.Create(name)
        : Option<PlaneHost>.None;

    private static State With(State state, PlaneHost host) =>
        state with { Hosts = state.Hosts.AddOrUpdate(host.Name, host) };

    private static State With(State state, FleetRollout rollout) =>
        state with { Rollouts = state.Rollouts.AddOrUpdate(rollout.Order.Id, rollout) };

    private static State With(State state, ChannelName name, PlaneChannel channel) =>
        state with { Channels = state.Channels.AddOrUpdate(name, channel) };

    private static Transition<State, Effect> Stay(State state) => new(state, Seq<Effect>());

    private static Transition<State, Effect> Go(State state, params ReadOnlySpan<Effect> effects) =>
        new(state, effects.ToArray().ToSeq());

    private static Transition<State, Effect> And(this Transition<State, Effect> step, Effect effect) =>
        step with { Effects = step.Effects.Add(effect) };

    private static Transition<State, Effect> Refuse(State state, ErrorCode code, string reason) =>
        new(state, Seq1<Effect>(new Effect.Reject(code, reason)));

    private static Transition<State, Effect> RefuseFull(State state) =>
        Refuse(state, ErrorCode.RegistryFull, $"this plane knows {State.MaxHosts} hosts, it takes no more");

    private static Transition<State, Effect> RefuseRevoked(State state, HostName host) =>
        Refuse(state, ErrorCode.HostRevoked, $"{host} was shut out, enrol it again with a new token");
}
