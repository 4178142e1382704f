using System;
using System.Buffers;
using System.Linq;
using System.Text;
using System.Text.Json;
using Agent.Core.Companion;
using Agent.Core.Container;
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
using CompanionSet = Agent.Core.Companion.Companions;
using ContainerSet = Agent.Core.Container.Containers;

namespace Agent.Tests.Journal;

/// <summary>What is written is read back, for every case of every union.</summary>
public sealed class HostCodecTests
{
    private const int Rounds = 100;

    /// JO-1, JO-4, upstream records_each_event_kind_onto_the_signed_chain: an event that came back different would be
    /// decided differently. Upstream: round trip (store).
    [Fact]
    public void Every_event_reads_back_as_it_was_written() => EachRound(samples =>
    {
        foreach (var @event in samples.EachCase<HostEvent>()) Check(@event);
        foreach (var @event in samples.EachCase<RuntimeEvent>()) Check(new HostEvent.Runtime(@event));
        foreach (var @event in samples.EachCase<ProcessEvent>())
        {
            Check(new HostEvent.ProcessReported(samples.Any<ProcessId>(), @event));
        }

        foreach (var @event in samples.EachCase<RolloutEvent>())
        {
            Check(new HostEvent.RolloutReported(samples.Any<RolloutId>(), @event));
        }

        foreach (var @event in samples.EachCase<OutboxEvent>()) Check(new HostEvent.Outbox(@event));
        foreach (var @event in samples.EachCase<ContainersEvent>()) Check(new HostEvent.ContainersReported(@event));
        foreach (var @event in samples.EachCase<ContainerEvent>())
        {
            Check(new HostEvent.ContainersReported(new ContainersEvent.One(samples.Any<ContainerUid>(), @event)));
        }

        foreach (var @event in samples.EachCase<CompanionsEvent>()) Check(new HostEvent.CompanionsReported(@event));
        foreach (var @event in samples.EachCase<CompanionEvent>())
        {
            Check(new HostEvent.CompanionsReported(new CompanionsEvent.One(samples.Any<CompanionName>(), @event)));
        }
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

            Check(new HostState(
                samples.Any<BootId>(), samples.Any<RuntimePolicy>(), runtime, new Registry(processes), rollouts,
                OutboxMachine.Initial, ContainerSet.Empty, CompanionSet.Empty));
        }
    });

    /// JO-3, WI-4: so is the outbox in each of its states, with what is queued, dead and owed.
    [Fact]
    public void Every_outbox_reads_back_as_it_was_written() => EachRound(samples =>
    {
        foreach (var outbox in samples.EachCase<OutboxState>()) Check(HostState.Initial with { Outbox = outbox });
    });

    /// JO-3, JO-4, RO-5: journals from before the field say nothing of it, and what they say is read and written as it was.
    [Fact]
    public void Only_an_unseen_soak_is_written_as_such() => EachRound(samples =>
    {
        var soaking = (RolloutState.Soaking)samples.EachCase<RolloutState>().First(state => state is RolloutState.Soaking);
        var seen = RoundTrip.Text((RolloutState)(soaking with { Seen = true }), RolloutStateCodec.Write);
        Assert.DoesNotContain("\"unseen\"", seen, StringComparison.Ordinal);
        Assert.Contains(
            "\"unseen\":true", RoundTrip.Text((RolloutState)(soaking with { Seen = false }), RolloutStateCodec.Write),
            StringComparison.Ordinal);
        var from = new JsonIn(Encoding.UTF8.GetBytes(seen));
        Assert.True(((RolloutState.Soaking)RolloutStateCodec.Read(ref from)).Seen);
    });

    /// JO-3, CT-2, upstream legacy_register_signature_remains_available: journals from before a set could say that what
    /// it leaves out is to go did not say it.
    [Theory]
    [InlineData("""{"type":"declared","specs":[],"install":true,"usesRuntime":false}""", false)]
    [InlineData("""{"type":"declared","specs":[],"install":true,"usesRuntime":false,"removeDropped":true}""", true)]
    [InlineData("""{"type":"one","uid":"web","event":{"type":"withdrawn"}}""", false)]
    [InlineData("""{"type":"one","uid":"web","event":{"type":"withdrawn","remove":true}}""", true)]
    public void A_set_without_the_word_removes_nothing(string written, bool removes)
    {
        var from = new JsonIn(Encoding.UTF8.GetBytes($$"""{"event":{{written}}}"""));
        from.Begin();
        var read = ContainersCodec.NamedEvent(ref from);
        from.End();
        Assert.Equal(removes, read is ContainersEvent.Declared { RemoveDropped: true }
            or ContainersEvent.One(_, ContainerEvent.Withdrawn { Remove: true }));
    }

    /// JO-3, PR-15: so are a process's limits, each by itself and together. Upstream: memory serde (veloslet).
    [Fact]
    public void Limits_read_back_as_they_were_written()
    {
        var none = ProcessLimits.None;
        ProcessLimits[] all =
        [
            none with { MemoryBytes = 3L << 30 }, none with { CpuThousandths = 500 }, none with { Pids = 50 },
            none with { OpenFiles = 32 }, new(64L << 20, 2000, 100, 1024), none,
        ];
        foreach (var limits in all)
        {
            var spec = new Samples(1).Any<ProcessSpec>() with { Limits = limits };
            var from = new JsonIn(Encoding.UTF8.GetBytes($$"""{"spec":{{RoundTrip.Text(spec, SpecCodec.Write)}}}"""));
            from.Begin();
            var read = SpecCodec.Named(ref from);
            from.End();
            Assert.Equal(limits, read.Limits);
        }
    }

    /// JO-3, CT-7: so are the containers in each of their states, with what is wanted, believed and held against them.
    [Fact]
    public void Every_container_reads_back_as_it_was_written() => EachRound(samples =>
    {
        var all = Map<OrdContainerUid, ContainerUid, ContainerState>.Empty;
        foreach (var state in samples.EachCase<ContainerState>()) all = all.AddOrUpdate(state.Profile.Uid, state);
        foreach (var passing in samples.EachCase<PassState>())
        {
            Check(HostState.Initial with { Containers = samples.Any<ContainerSet>() with { All = all, Passing = passing } });
        }
    });

    /// JO-3, CT-10: so are the companions in each of their states, with what is believed, owed and held against them.
    [Fact]
    public void Every_companion_reads_back_as_it_was_written() => EachRound(samples =>
    {
        var all = Map<OrdCompanionName, CompanionName, CompanionState>.Empty;
        foreach (var state in samples.EachCase<CompanionState>()) all = all.AddOrUpdate(state.Profile.Name, state);
        foreach (var passing in samples.EachCase<LookState>())
        {
            foreach (var reload in samples.EachCase<ReloadState>())
            {
                Check(HostState.Initial with
                {
                    Companions = samples.Any<CompanionSet>() with { All = all, Passing = passing, Reload = reload },
                });
            }
        }
    });

    /// JO-4: journals from before there were containers keep their digests.
    [Fact]
    public void Containers_that_never_were_are_left_out() => Assert.DoesNotContain(
        "containers", RoundTrip.Text(HostState.Initial, HostCodec.Write), StringComparison.Ordinal);

    /// JO-4: journals from before there were companions keep their digests.
    [Fact]
    public void Companions_that_never_were_are_left_out() => Assert.DoesNotContain(
        "companions", RoundTrip.Text(HostState.Initial, HostCodec.Write), StringComparison.Ordinal);

    /// JO-4: without a plane the state is written as it was before there was an outbox.
    [Fact]
    public void An_outbox_that_never_was_is_left_out() => Assert.DoesNotContain(
        "outbox", RoundTrip.Text(HostState.Initial, HostCodec.Write), StringComparison.Ordinal);

    /// JO-4: effects are compared by their bytes, so they must be well-formed and name what they hold.
    [Fact]
    public void Every_effect_is_one_json_object_with_a_type() => EachRound(samples =>
    {
        foreach (var effect in samples.EachCase<RuntimeEffect>()) RoundTrip.CheckObject<HostEffect>(new HostEffect.Runtime(effect), HostCodec.Write);
        foreach (var effect in samples.EachCase<ProcessEffect>()) RoundTrip.CheckObject<HostEffect>(new HostEffect.Process(effect), HostCodec.Write);
        foreach (var effect in samples.EachCase<RolloutEffect>()) RoundTrip.CheckObject<HostEffect>(new HostEffect.Rollout(effect), HostCodec.Write);
        foreach (var effect in samples.EachCase<ContainerEffect>()) RoundTrip.CheckObject<HostEffect>(new HostEffect.Container(effect), HostCodec.Write);
        foreach (var effect in samples.EachCase<CompanionEffect>()) RoundTrip.CheckObject<HostEffect>(new HostEffect.Companion(effect), HostCodec.Write);
        foreach (var effect in samples.EachCase<OutboxEffect>()) RoundTrip.CheckObject<HostEffect>(new HostEffect.Outbox(effect), HostCodec.Write);
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

    private static void Check(HostEvent @event) => RoundTrip.Check(@event, HostCodec.Write, HostCodec.ReadEvent);

    private static void Check(HostState state) => RoundTrip.Check(state, HostCodec.Write, HostCodec.ReadState);

    private static void EachRound(Action<Samples> check)
    {
        for (var seed = 0; seed < Rounds; seed++) check(new Samples(seed));
    }
}
