using System;
using System.Buffers;
using System.Linq;
using System.Text;
using System.Text.Json;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Core.Runtime;
using Agent.Shell.Journal.Codec;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Journal;

/// <summary>What is written is read back, for every case of every union.</summary>
public sealed class HostCodecTests
{
    private const int Rounds = 100;

    /// JO-1, JO-4: an event that came back different would be decided differently.
    [Fact]
    public void Every_event_reads_back_as_it_was_written() => EachRound(samples =>
    {
        foreach (var @event in samples.EachCase<HostEvent>()) RoundTrip(@event);
        foreach (var @event in samples.EachCase<RuntimeEvent>()) RoundTrip(new HostEvent.Runtime(@event));
        foreach (var @event in samples.EachCase<ProcessEvent>())
        {
            RoundTrip(new HostEvent.ProcessReported(samples.Any<ProcessId>(), @event));
        }

        foreach (var @event in samples.EachCase<RolloutEvent>())
        {
            RoundTrip(new HostEvent.RolloutReported(samples.Any<RolloutId>(), @event));
        }

        foreach (var @event in samples.EachCase<OutboxEvent>()) RoundTrip(new HostEvent.Outbox(@event));
    });

    /// JO-3: a snapshot is the state, whole.
    [Fact]
    public void Every_state_reads_back_as_it_was_written() => EachRound(samples =>
    {
        foreach (var runtime in samples.EachCase<RuntimeState>())
        {
            var processes = Map<OrdProcessId, ProcessId, ProcessState>.Empty;
            foreach (var process in samples.EachCase<ProcessState>())
            {
                processes = processes.AddOrUpdate(process.Profile.Id, process);
            }

            var rollouts = Rollouts.Empty;
            foreach (var rollout in samples.EachCase<RolloutState>())
            {
                var order = rollout.Profile.Order;
                rollouts = new(
                    rollouts.All.AddOrUpdate(order.Id, rollout),
                    rollouts.Floors.AddOrUpdate(order.Channel, order.Version));
            }

            RoundTrip(new HostState(
                samples.Any<BootId>(), samples.Any<RuntimePolicy>(), runtime, new Registry(processes), rollouts,
                OutboxMachine.Initial));
        }
    });

    /// JO-3, WI-4: so is the outbox in each of its states, with what is queued, dead and owed.
    [Fact]
    public void Every_outbox_reads_back_as_it_was_written() => EachRound(samples =>
    {
        foreach (var outbox in samples.EachCase<OutboxState>()) RoundTrip(HostState.Initial with { Outbox = outbox });
    });

    /// JO-3, JO-4, RO-5: journals from before the field say nothing of it, and what they say is read and written as it was.
    [Fact]
    public void Only_an_unseen_soak_is_written_as_such() => EachRound(samples =>
    {
        var soaking = (RolloutState.Soaking)samples.EachCase<RolloutState>().First(state => state is RolloutState.Soaking);
        var seen = Text(Written(json => RolloutStateCodec.Write(json, soaking with { Seen = true })));
        Assert.DoesNotContain("\"unseen\"", seen, StringComparison.Ordinal);
        Assert.Contains(
            "\"unseen\":true", Text(Written(json => RolloutStateCodec.Write(json, soaking with { Seen = false }))),
            StringComparison.Ordinal);
        var from = new JsonIn(Encoding.UTF8.GetBytes(seen));
        Assert.True(((RolloutState.Soaking)RolloutStateCodec.Read(ref from)).Seen);
    });

    /// JO-4: without a plane the state is written as it was before there was an outbox.
    [Fact]
    public void An_outbox_that_never_was_is_left_out() => Assert.DoesNotContain(
        "outbox", Text(Written(json => HostCodec.Write(json, HostState.Initial))), StringComparison.Ordinal);

    /// JO-4: effects are compared by their bytes, so they must be well-formed and name what they hold.
    [Fact]
    public void Every_effect_is_one_json_object_with_a_type() => EachRound(samples =>
    {
        foreach (var effect in samples.EachCase<RuntimeEffect>()) CheckObject(new HostEffect.Runtime(effect));
        foreach (var effect in samples.EachCase<ProcessEffect>()) CheckObject(new HostEffect.Process(effect));
        foreach (var effect in samples.EachCase<RolloutEffect>()) CheckObject(new HostEffect.Rollout(effect));
        foreach (var effect in samples.EachCase<OutboxEffect>()) CheckObject(new HostEffect.Outbox(effect));
    });

    /// JO-2: a record of another make is refused by name and place, never guessed at.
    [Theory]
    [InlineData("""{"type":"unheardOf"}""")]
    [InlineData("""{"type":"processReported","id":"UPPER","event":{"type":"touched"}}""")]
    [InlineData("""{"type":"runtime","event":{"type":"probeFailed","other":"x"}}""")]
    [InlineData("""{"type":"runtime","event":{"type":"startProgressed","attempt":"1","services":[]}}""")]
    public void An_unknown_record_is_refused(string json) => Assert.Throws<UnknownRecordException>(() =>
    {
        var from = new JsonIn(Encoding.UTF8.GetBytes(json));
        HostCodec.ReadEvent(ref from);
    });

    private static void RoundTrip(HostEvent @event)
    {
        var written = Written(json => HostCodec.Write(json, @event));
        using var parsed = JsonDocument.Parse(written);
        var from = new JsonIn(written);
        var read = HostCodec.ReadEvent(ref from);
        Assert.Equal(written.Length, from.Consumed);
        Assert.Equal(@event.GetType(), read.GetType());
        Assert.Equal(Text(written), Text(Written(json => HostCodec.Write(json, read))));
    }

    private static void RoundTrip(HostState state)
    {
        var written = Written(json => HostCodec.Write(json, state));
        var from = new JsonIn(written);
        var read = HostCodec.ReadState(ref from);
        Assert.Equal(written.Length, from.Consumed);
        Assert.Equal(Text(written), Text(Written(json => HostCodec.Write(json, read))));
    }

    private static void CheckObject(HostEffect effect)
    {
        using var parsed = JsonDocument.Parse(Written(json => HostCodec.Write(json, effect)));
        Assert.NotEmpty(parsed.RootElement.GetProperty("type").GetString()!);
    }

    private static byte[] Written(Func<JsonOut, JsonOut> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var json = new JsonOut(bytes);
        write(json).Flush();
        return bytes.WrittenSpan.ToArray();
    }

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private static void EachRound(Action<Samples> check)
    {
        for (var seed = 0; seed < Rounds; seed++) check(new Samples(seed));
    }
}
