using System;
using System.Threading;
using Agent.Shell.Linux;

namespace Agent.Shell.Output;

/// <summary>
/// How bytes get from the pipe into the ring exactly once, though the agent may be killed at any instruction. A read
/// takes bytes out of the pipe for good; whether it happened must be visible to the next agent from the ring alone.
/// <para>
/// So the number of bytes is fixed first: we are the pipe's only reader, a read of what FIONREAD counted gets exactly
/// that. The end of the target is overwritten with something that the bytes to come cannot be: a random nonce, or for
/// a few bytes the complement of what tee(2) shows them to be. Then the intent is noted, then the read is made, then
/// the end moves. An intent found later tells by that mark whether its read took place.
/// </para>
/// </summary>
internal sealed unsafe partial class Ring
{
    private const int NonceBytes = 16;

    /// <summary>One stream gets this much of a round, so that a flood on one starves no other.</summary>
    private const int LongestCapture = 256 << 10;

    /// <summary>Takes what the pipe has, as far as there is room.</summary>
    public Captured Capture(int fd, (int Read, int Write) peek)
    {
        var readable = Descriptors.Readable(fd);
        if (readable == 0) return AtEnd(fd, peek);
        var at = (int)(_header->End % _capacity);
        var count = Math.Min(Math.Min(readable, LongestCapture), _capacity - at);
        count = MakeRoom(count);
        if (count == 0) return Captured.Full;
        if (!Reserve(at + count)) return Captured.NoStorage;
        if (count < NonceBytes)
        {
            count = MarkSmall(fd, peek, at, count);
            if (count <= 0) return Captured.Nothing;
        }
        else
        {
            new ReadOnlySpan<byte>(_header->Nonce, NonceBytes).CopyTo(new Span<byte>(_data + at + count - NonceBytes, NonceBytes));
        }

        Volatile.Write(ref _header->IntentEnd, _header->End);
        Volatile.Write(ref _header->IntentBytes, count);
        var got = Descriptors.Read(fd, _data + at, count);
        if (got > 0) Volatile.Write(ref _header->End, _header->End + got);
        Volatile.Write(ref _header->IntentBytes, 0);
        if (got > 0) Changed();
        return got > 0 ? Captured.Some : Captured.Nothing;
    }

    /// <summary>What the last agent intended: published if its read took place, otherwise as if it never was.</summary>
    private void FinishCapture()
    {
        var count = _header->IntentBytes;
        if (count > 0 && count <= _capacity && _header->IntentEnd == _header->End)
        {
            var target = _data + (_header->End % _capacity);
            var unread = count < NonceBytes
                ? new ReadOnlySpan<byte>(target, count).SequenceEqual(new ReadOnlySpan<byte>(_header->Expected, count))
                : new ReadOnlySpan<byte>(target + count - NonceBytes, NonceBytes)
                    .SequenceEqual(new ReadOnlySpan<byte>(_header->Nonce, NonceBytes));
            if (!unread) _header->End += count;
        }

        _header->IntentBytes = 0;
    }

    /// <summary>An empty pipe is quiet or at its end; tee(2) tells which, and takes nothing.</summary>
    private static Captured AtEnd(int fd, (int Read, int Write) peek)
    {
        var seen = Descriptors.Tee(fd, peek.Write, 1);
        if (seen == 0) return Captured.EndOfFile;
        if (seen < 0) return Captured.Nothing;
        byte peeked;
        Descriptors.Read(peek.Read, &peeked, 1);
        return Captured.Some;
    }

    /// <summary>Room for so many bytes, or for fewer under backpressure. Evicted bytes leave before they are overwritten.</summary>
    private int MakeRoom(int count)
    {
        lock (_gate)
        {
            var room = _capacity - (_header->End - _header->Start);
            if (_header->Backpressure != 0) return (int)Math.Min(count, room);
            if (count > room)
            {
                _header->Dropped += count - room;
                _header->Start += count - room;
            }

            return count;
        }
    }

    private bool Reserve(long to)
    {
        if (to <= _reserved) return true;
        var next = RoundUp(to, _capacity);
        if (!_file.Reserve(HeaderBytes + _reserved, next - _reserved)) return false;
        _reserved = next;
        return true;
    }

    private int MarkSmall(int fd, (int Read, int Write) peek, int at, int count)
    {
        var seen = Descriptors.Tee(fd, peek.Write, count);
        if (seen <= 0) return seen;
        var bytes = stackalloc byte[NonceBytes];
        seen = Descriptors.Read(peek.Read, bytes, seen);
        for (var i = 0; i < seen; i++)
        {
            _header->Expected[i] = (byte)~bytes[i];
            _data[at + i] = (byte)~bytes[i];
        }

        return seen;
    }
}

internal enum Captured
{
    Some,

    /// <summary>The pipe is empty and somebody may still write.</summary>
    Nothing,

    /// <summary>Nobody can write any more.</summary>
    EndOfFile,

    /// <summary>Backpressure: the writer waits until somebody acknowledges or drains.</summary>
    Full,

    /// <summary>The file system of the rings is full: the writer waits until it is not.</summary>
    NoStorage,
}
