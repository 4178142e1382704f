using System;
using System.IO;
using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Core.Time;
using Agent.Shell.Journal;
using Agent.Shell.Loop;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Journal;

/// <summary>A plane's journal on a real disk: written, recovered, replayed, and told from a host's.</summary>
public sealed class PlaneJournalTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("agent-plane-");

    public void Dispose() => _folder.Delete(recursive: true);

    /// FL-3, FL-6, JO-3, JO-4: over several segments, from a snapshot and from the first record, the state is the same.
    [Fact]
    public void A_planes_journal_replays_to_the_state_that_was_written()
    {
        var written = Write(events: 300, new JournalOptions(SegmentBytes: 8 << 10, ZeroAheadBytes: 4 << 10, KeepSegments: 100));
        Assert.True(JournalFiles.Seqs(_folder.FullName, JournalFiles.Segment).Count > 2);
        Assert.True(JournalKind.IsOfPlane(_folder.FullName));

        var replayed = JournalReplay.Run(
            PlaneBinding.Instance, _folder.FullName, long.MaxValue, difference => Assert.Fail(difference.ToString()));
        Assert.Equal(StateDigest.Of(PlaneBinding.Instance, written), StateDigest.Of(PlaneBinding.Instance, replayed.State));
        foreach (var file in Directory.GetFiles(_folder.FullName, "*" + JournalFiles.Segment))
        {
            Assert.True(JournalKind.IsOfPlane(file));
            JournalReplay.Run(PlaneBinding.Instance, file, long.MaxValue, difference => Assert.Fail(difference.ToString()));
        }

        var (recovered, writer, notice) = JournalRecovery.Open(PlaneBinding.Instance, _folder.FullName, JournalOptions.Default);
        writer.Dispose();
        Assert.Null(notice);
        Assert.Equal(StateDigest.Of(PlaneBinding.Instance, written), StateDigest.Of(PlaneBinding.Instance, recovered.State));
    }

    /// JO-3, JO-6: a journal whose beginning was let go is exported with the snapshot that it begins with now.
    [Fact]
    public void A_journal_that_begins_with_a_snapshot_is_exported_whole()
    {
        var written = Write(events: 300, new JournalOptions(SegmentBytes: 8 << 10, ZeroAheadBytes: 4 << 10, KeepSegments: 3));
        Assert.NotEqual(1, JournalFiles.Seqs(_folder.FullName, JournalFiles.Segment)[0]);
        var folder = Path.Combine(_folder.FullName, "export");
        var count = JournalExport.To(_folder.FullName, folder);

        var replayed = JournalReplay.Run(PlaneBinding.Instance, folder, long.MaxValue, difference => Assert.Fail(difference.ToString()));
        Assert.Equal(count, replayed.Events);
        Assert.Equal(StateDigest.Of(PlaneBinding.Instance, written), StateDigest.Of(PlaneBinding.Instance, replayed.State));
        Assert.Throws<IOException>(() => JournalExport.To(_folder.FullName, folder));
    }

    /// JO-4: a host's journal is not taken for a plane's.
    [Fact]
    public void A_hosts_journal_is_told_from_it()
    {
        using (var writer = JournalWriter.Begin(_folder.FullName, JournalOptions.Default, nextSeq: 1))
        {
            writer.Append(1, 1, "\"event\":{\"type\":\"started\",\"boot\":\"b\",\"observed\":[]}"u8);
            writer.Commit();
        }

        Assert.False(JournalKind.IsOfPlane(_folder.FullName));
    }

    private PlaneState Write(int events, JournalOptions options)
    {
        var state = PlaneState.Initial;
        using var writer = JournalWriter.Begin(_folder.FullName, options, nextSeq: 1);
        using var recorder = new Recorder<PlaneState, PlaneEvent, PlaneEffect>(PlaneBinding.Instance, writer);
        for (var seq = 1; seq <= events; seq++)
        {
            var at = new Instant(seq * 1000);
            var @event = EventAt(seq, at);
            var step = PlaneMachine.Step(state, new(at, @event));
            recorder.Append(seq, at, @event, step.Effects, step.State);
            state = step.State;
            recorder.Commit(new(seq, at, state));
        }

        return state;
    }

    private static PlaneEvent EventAt(int seq, Instant at)
    {
        var host = HostName.Parse("host-" + (seq % 7)).IfNone(() => throw new InvalidOperationException());
        var token = TokenId.Parse("t" + (seq / 3)).IfNone(() => throw new InvalidOperationException());
        return (seq % 3, seq) switch
        {
            (_, 1) => new PlaneEvent.Started(),
            (0, _) => new PlaneEvent.TokenIssued(token, host, at + TimeSpan.FromHours(1)),
            (1, _) => new PlaneEvent.EnrolRequested(token, host, "key"),
            _ => new PlaneEvent.Heartbeat(host, new HostReport(
                at, new BootId("boot"), "1.0.0", Seq<RunningRelease>.Empty, Seq<RolloutMark>.Empty)),
        };
    }
}
