using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Specs.Tools;
using Xunit;
using Effect = Agent.Core.Rollout.RolloutEffect;
using Event = Agent.Core.Rollout.RolloutEvent;
using State = Agent.Core.Rollout.RolloutState;

namespace Agent.Specs.Rollout;

/// <summary>Whoever mirrors a host steps its mirror with what the host reports, and nothing else.</summary>
public sealed class MirrorLaws
{
    private static readonly RolloutSoup Soup = new();

    /// RO-1, CO-7 (remote_dispatch_ack_mirrors_…): after each of the host's steps the mirror stands where the host does.
    [Fact]
    public void A_mirror_equals_its_host_at_every_point() => Soup.Always(trace =>
    {
        if (trace.Count == 0) return;
        var mirror = Mirror(trace[0].Before);
        foreach (var moment in trace)
        {
            foreach (var told in Told(moment)) mirror = Take(mirror, told);
            AreSame(moment.After, mirror);
        }
    });

    /// RO-10: reports that come twice, and replays from any earlier one on, change nothing of that.
    [Fact]
    public void A_mirror_takes_each_report_once_however_often_it_comes() => Soup.Always(trace =>
    {
        if (trace.Count == 0) return;
        var mirror = Mirror(trace[0].Before);
        var sent = new List<Report>();
        var dice = new Random(trace.Count + trace[0].Input.At.UnixMilliseconds.GetHashCode());
        foreach (var moment in trace)
        {
            foreach (var told in Told(moment))
            {
                sent.Add(told);
                foreach (var again in sent.Skip(dice.Next(sent.Count))) mirror = Take(Take(mirror, again), again);
            }

            AreSame(moment.After, mirror);
        }
    });

    /// RO-10: a mirror that was away takes what it missed and stands where the host does, wherever it left off.
    [Fact]
    public void A_mirror_that_was_away_catches_up() => Soup.Always(trace =>
    {
        if (trace.Count == 0) return;
        var sent = trace.SelectMany(Told).ToArray();
        for (var left = 0; left <= sent.Length; left++)
        {
            var mirror = sent.Take(left).Aggregate(Mirror(trace[0].Before), Take);
            AreSame(trace[^1].After, sent.Skip(Math.Max(0, left - 2)).Aggregate(mirror, Take));
        }
    });

    private static State Mirror(State host) => RolloutMachine.Create(host.Profile.Order, host.Profile.ReceivedAt);

    private static IEnumerable<Report> Told(Moment<State, Event, Effect> moment) =>
        moment.Effects.OfType<Effect.Report>().Select(told => new Report(told.Seq, new(moment.Input.At, told.Event)));

    /// <summary>What it decides is the host's to do.</summary>
    private static State Take(State mirror, Report told) => RolloutMachine.Step(mirror, told.Seq, told.Input).State;

    private static void AreSame(State host, State mirror)
    {
        Assert.Equal(host.Profile.Seq, mirror.Profile.Seq);
        if (host != mirror) Assert.Equal(TracePrinter.Print(host), TracePrinter.Print(mirror));
    }

    private sealed record Report(long Seq, Timed<Event> Input);
}
