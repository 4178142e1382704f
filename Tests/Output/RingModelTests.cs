using System;
using System.Collections.Generic;
using System.Linq;
using Agent.Shell.Output;
using Xunit;

namespace Agent.Tests.Output;

/// <summary>The ring against a list that does the same the dumb way.</summary>
public sealed class RingModelTests
{
    private const int Capacity = 4096;
    private const int Sequences = 5_000;
    private const int Operations = 20;

    /// PR-6: for any sequence of operations, under both policies, the ring answers as the list does.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_ring_answers_as_a_list_would(bool backpressure)
    {
        using var stage = new Stage();
        var first = Environment.TickCount;
        for (var sequence = 0; sequence < Sequences; sequence++)
        {
            var seed = unchecked(first + sequence);
            var story = new List<string>();
            try
            {
                Play(new Random(seed), stage, backpressure, story);
            }
            catch (Exception failure)
            {
                var told = $"seed {seed}, backpressure {backpressure}: {string.Join(", ", story)}";
                throw new InvalidOperationException(told, failure);
            }
        }
    }

    private static void Play(Random random, Stage stage, bool backpressure, List<string> story)
    {
        using var hand = new HandFed();
        var model = new Model(backpressure);
        var ring = stage.Ring("model", Capacity, backpressure);
        try
        {
            for (var i = 0; i < Operations; i++) ring = Operate(random, stage, hand, model, ring, story);
        }
        finally
        {
            ring.Dispose();
            System.IO.File.Delete(stage.At("model"));
        }
    }

    private static Ring Operate(Random random, Stage stage, HandFed hand, Model model, Ring ring, List<string> story)
    {
        var operation = random.Next(8);
        var near = random.NextInt64(Math.Max(0, model.Start - 50), model.End + 20);
        var max = random.Next(3) switch { 0 => random.Next(40), 1 => random.Next(Capacity), _ => 10_000 };
        story.Add($"{operation}({near}, {max})");
        switch (operation)
        {
            case 0 or 1 or 2:
                var said = Lines(random, random.Next(2) == 0 ? random.Next(1, 40) : random.Next(1, 6000));
                model.Say(said.AsSpan(0, hand.Say(said)));
                hand.All(ring);
                break;
            case 3: model.Since(near, max).Check(ring.Since(near, max)); break;
            case 4: model.Tail(max % 10, max).Check(ring.Tail(max % 10, max)); break;
            case 5:
                model.Drain(max).Check(ring.Drain(max));
                hand.All(ring);
                break;
            case 6:
                Assert.Equal(model.Ack(near), ring.Ack(near));
                hand.All(ring);
                break;
            default:
                ring.Dispose();
                ring = stage.Ring("model", Capacity, model.Backpressure);
                break;
        }

        Assert.Equal((model.Start, model.End, model.Dropped), (ring.Start, ring.End, ring.Dropped));
        Assert.Equal(model.Waiting, hand.Pending);
        return ring;
    }

    private static byte[] Lines(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        for (var at = random.Next(60); at < count; at += random.Next(1, 120)) bytes[at] = (byte)'\n';
        return bytes;
    }

    private sealed record Expected(byte[] Bytes, long Next, long Dropped, bool Beyond)
    {
        public void Check(RingRead read)
        {
            Assert.Equal(Bytes, read.Bytes.ToArray());
            Assert.Equal((Next, Dropped, Beyond), (read.Next, read.Dropped, read.Beyond));
        }
    }

    private sealed class Model(bool backpressure)
    {
        private readonly Queue<byte> _pipe = new();
        private List<byte> _kept = [];

        public bool Backpressure => backpressure;

        public long Start { get; private set; }

        public long Dropped { get; private set; }

        public long End => Start + _kept.Count;

        public int Waiting => _pipe.Count;

        public void Say(ReadOnlySpan<byte> bytes)
        {
            foreach (var one in bytes) _pipe.Enqueue(one);
            Flow();
        }

        public Expected Since(long cursor, int max)
        {
            if (cursor > End) return new([], End, 0, true);
            var from = Math.Max(Math.Max(0, cursor), Start);
            byte[] bytes = [.. _kept.Skip((int)(from - Start)).Take(max)];
            return new(bytes, from + bytes.Length, from - Math.Max(0, cursor), false);
        }

        public Expected Tail(int lines, int max)
        {
            var all = _kept.TakeLast(max).ToArray();
            var taken = new List<byte>();
            foreach (var one in all.Reverse())
            {
                if (one == '\n' && taken.Count > 0 && lines-- <= 1) break;
                if (lines <= 0) break;
                taken.Add(one);
            }

            taken.Reverse();
            return new([.. taken], End, 0, false);
        }

        public Expected Drain(int max)
        {
            var read = Since(Start, max);
            Free(read.Next);
            return read;
        }

        public bool Ack(long cursor)
        {
            if (cursor > End) return false;
            if (backpressure && cursor > Start) Free(cursor);
            return true;
        }

        private void Free(long to)
        {
            _kept = [.. _kept.Skip((int)(to - Start))];
            Start = to;
            Flow();
        }

        private void Flow()
        {
            while (_pipe.Count > 0 && !(backpressure && _kept.Count == Capacity)) _kept.Add(_pipe.Dequeue());
            var over = Math.Max(0, _kept.Count - Capacity);
            _kept.RemoveRange(0, over);
            Start += over;
            Dropped += over;
        }
    }
}
