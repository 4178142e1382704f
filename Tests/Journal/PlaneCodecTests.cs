using System;
using System.Buffers;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Shell.Journal;
using Agent.Shell.Journal.Codec;
using Agent.Shell.Loop;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Journal;

/// <summary>What the plane writes is read back, for every case of every union.</summary>
public sealed class PlaneCodecTests
{
    private const int Rounds = 100;

    /// JO-1, JO-4: an event that came back different would be decided differently.
    [Fact]
    public void Every_event_reads_back_as_it_was_written() => EachRound(samples =>
    {
        foreach (var @event in samples.EachCase<PlaneEvent>()) RoundTrip.Check(@event, PlaneCodec.Write, PlaneCodec.ReadEvent);
        foreach (var telling in samples.EachCase<Telling>())
        {
            RoundTrip.Check(
                new PlaneEvent.Told(samples.Any<HostName>(), new[] { telling }.ToSeq()), PlaneCodec.Write, PlaneCodec.ReadEvent);
        }
    });

    /// JO-3: a snapshot is the state, whole.
    [Fact]
    public void Every_state_reads_back_as_it_was_written() => EachRound(samples =>
    {
        var state = PlaneState.Initial with { Due = samples.Any<Option<Instant>>() };
        foreach (var phase in samples.EachCase<FleetPhase>())
        {
            var rollout = samples.Any<FleetRollout>() with { Phase = phase };
            var host = samples.Any<PlaneHost>();
            var channel = samples.Any<PlaneChannel>();
            state = state with
            {
                Rollouts = state.Rollouts.AddOrUpdate(rollout.Order.Id, rollout),
                Hosts = state.Hosts.AddOrUpdate(host.Name, host),
                Channels = state.Channels.AddOrUpdate(samples.Any<ChannelName>(), channel),
                Tokens = state.Tokens.AddOrUpdate(samples.Any<TokenId>(), samples.Any<EnrolmentToken>()),
            };
        }

        RoundTrip.Check(state, PlaneStateCodec.Write, PlaneStateCodec.Read);
    });

    /// JO-4: effects are compared by their bytes, so they must be well-formed and name what they hold.
    [Fact]
    public void Every_effect_is_one_json_object_with_a_type() => EachRound(samples =>
    {
        foreach (var effect in samples.EachCase<PlaneEffect>()) RoundTrip.CheckObject(effect, PlaneCodec.Write);
        foreach (var phase in samples.EachCase<FleetPhase>()) RoundTrip.CheckObject(new PlaneEffect.Moved(samples.Any<RolloutId>(), phase), PlaneCodec.Write);
        RoundTrip.CheckObject(new PlaneEffect.Answer(samples.Any<HostName>(), samples.EachCase<Verdict>().ToArray().ToSeq()), PlaneCodec.Write);
    });

    /// JO-2: a host's record is no plane's, and the other way round.
    [Theory]
    [InlineData("""{"type":"started","boot":"b","observed":[]}""")]
    [InlineData("""{"type":"told","host":"a","tellings":[{"type":"unheardOf"}]}""")]
    [InlineData("""{"type":"hostRevoked","host":"a b"}""")]
    public void An_unknown_record_is_refused(string json) => Assert.Throws<UnknownRecordException>(() =>
    {
        var from = new JsonIn(Encoding.UTF8.GetBytes(json));
        PlaneCodec.ReadEvent(ref from);
    });

    private static void EachRound(Action<Samples> check)
    {
        for (var seed = 0; seed < Rounds; seed++) check(new Samples(seed));
    }
}
