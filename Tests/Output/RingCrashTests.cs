using System;
using System.IO;
using System.Linq;
using Agent.Shell.Output;
using Xunit;

namespace Agent.Tests.Output;

/// <summary>
/// Every state in which a kill can leave the header while a capture is under way, written by hand into the file of a
/// ring that is closed; then the next agent opens it.
/// </summary>
public sealed unsafe class RingCrashTests : IDisposable
{
    private const int Capacity = 4096;

    private readonly Stage _stage = new();
    private readonly HandFed _hand = new();

    /// <summary>Where the capture begins, and how many bytes it takes: small and large, up to the ring's end.</summary>
    public static TheoryData<int, int> Captures
    {
        get
        {
            var captures = new TheoryData<int, int>();
            foreach (var before in (int[])[0, 1, 100, 4000, Capacity - 15])
            {
                foreach (var count in (int[])[1, 2, 15, 16, 17, 40, 96])
                {
                    if (before + count <= Capacity) captures.Add(before, count);
                }
            }

            return captures;
        }
    }

    public void Dispose()
    {
        _hand.Dispose();
        _stage.Dispose();
    }

    /// PR-14, JO-5: killed after the target was marked and before the intent was noted.
    [Theory]
    [MemberData(nameof(Captures))]
    public void A_mark_without_an_intent_means_nothing(int before, int count)
    {
        Leave(before, count, (header, data) => Mark(header, data, before, count));
        Expect(before);
    }

    /// PR-14, JO-5: killed between the intent and the read: the bytes are still in the pipe.
    [Theory]
    [MemberData(nameof(Captures))]
    public void An_intent_whose_read_did_not_happen_is_dropped(int before, int count)
    {
        Leave(before, count, (header, data) =>
        {
            Mark(header, data, before, count);
            Intend(header, before, count);
        });
        Expect(before);
    }

    /// PR-14, JO-5: killed between the read and the moving of the end: the bytes are in the ring and nowhere else.
    [Theory]
    [MemberData(nameof(Captures))]
    public void An_intent_whose_read_happened_is_published(int before, int count)
    {
        Leave(before, count, (header, data) =>
        {
            Mark(header, data, before, count);
            Intend(header, before, count);
            Pattern.Take(before, count).CopyTo(new Span<byte>(data + before, count));
        });
        Expect(before + count);
    }

    /// PR-14, JO-5: killed between the moving of the end and the clearing of the intent.
    [Theory]
    [MemberData(nameof(Captures))]
    public void An_intent_that_was_published_is_not_published_twice(int before, int count)
    {
        Leave(before, count, (header, data) =>
        {
            Mark(header, data, before, count);
            Intend(header, before, count);
            Pattern.Take(before, count).CopyTo(new Span<byte>(data + before, count));
            header->End += count;
        });
        Expect(before + count);
    }

    /// PR-14, JO-5: killed when the next intent's offset was written and its length was not.
    [Theory]
    [MemberData(nameof(Captures))]
    public void Half_an_intent_means_nothing(int before, int count)
    {
        Leave(before, count, (header, data) =>
        {
            Mark(header, data, before, count);
            header->IntentEnd = before;
        });
        Expect(before);
    }

    /// PR-14: what comes after any of these is captured as ever, and no later death takes the intent for its own.
    [Fact]
    public void A_recovered_intent_is_cleared()
    {
        Leave(100, 40, (header, data) =>
        {
            Mark(header, data, 100, 40);
            Intend(header, 100, 40);
        });
        using (var ring = _stage.Ring()) _hand.Feed(ring, Pattern.Take(100, 300));
        Expect(400);
    }

    /// PR-14: an intent that no agent can have noted does not reach outside of the ring.
    [Theory]
    [InlineData(Capacity + 1)]
    [InlineData(int.MaxValue)]
    [InlineData(-1)]
    public void An_absurd_intent_is_dropped(int count)
    {
        Leave(100, 1, (header, _) => Intend(header, 100, count));
        Expect(100);
    }

    /// PR-14: a mark is made of what tee(2) shows, or of a nonce; live, both must be what recovery expects.
    [Theory]
    [MemberData(nameof(Captures))]
    public void A_capture_leaves_the_mark_that_recovery_looks_for(int before, int count)
    {
        using (var ring = _stage.Ring())
        {
            _hand.Feed(ring, Pattern.Take(0, before));
            _hand.Say(Pattern.Take(before, count));
            Assert.Equal(Captured.Some, _hand.Step(ring));
        }

        Alter((header, data) =>
        {
            var expected = Pattern.Take(before, count).Select(one => (byte)~one).ToArray();
            if (count < Ring.NonceBytes) Assert.Equal(expected, new Span<byte>(header->Expected, count).ToArray());
            Assert.Equal(before, header->IntentEnd);
            Assert.Equal(0, header->IntentBytes);

            // As if the read had not been: the mark back in place, the intent set, the end where it was.
            header->End = before;
            Mark(header, data, before, count);
            Intend(header, before, count);
        });
        Expect(before);
    }

    private void Leave(int before, int count, Change change)
    {
        using (var ring = _stage.Ring()) _hand.Feed(ring, Pattern.Take(0, before));
        Assert.InRange(count, 1, Capacity);
        Alter(change);
    }

    private void Alter(Change change)
    {
        var file = File.ReadAllBytes(_stage.At("ring"));
        fixed (byte* start = file) change((Ring.Header*)start, start + Ring.HeaderBytes);
        File.WriteAllBytes(_stage.At("ring"), file);
    }

    private void Expect(int end)
    {
        using var ring = _stage.Ring();
        Assert.Equal(end, ring.End);
        Assert.Equal(Pattern.Take(0, end), ring.Since(0, Capacity).Bytes.ToArray());
    }

    private static void Mark(Ring.Header* header, byte* data, int at, int count)
    {
        var coming = Pattern.Take(at, count);
        if (count < Ring.NonceBytes)
        {
            for (var i = 0; i < count; i++) header->Expected[i] = data[at + i] = (byte)~coming[i];
            return;
        }

        new Span<byte>(header->Nonce, Ring.NonceBytes)
            .CopyTo(new Span<byte>(data + at + count - Ring.NonceBytes, Ring.NonceBytes));
    }

    private static void Intend(Ring.Header* header, int at, int count)
    {
        header->IntentEnd = at;
        header->IntentBytes = count;
    }

    private delegate void Change(Ring.Header* header, byte* data);
}
