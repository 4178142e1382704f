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
/// <para>
/// A read that stopped half way would be neither: so it never crosses the ring's end, and the pages it fills are
/// touched first, since a killed process's faults fail. A child that switches its pipe to packets (O_DIRECT) makes
/// reads short, and only its own output can suffer by it.
/// </para>
/// </summary>
internal sealed unsafe partial class Ring
{
    internal const int NonceBytes = 16;

    /// <summary>One stream gets this much of a round, so that a flood on one starves no other.</summary>
    internal const int LongestCapture = 256 << 10;

    private const int Page = 4096;

    /// <summary>
    /// Takes what the pipe has, as far as there is room. <paramref name="peek"/> is an empty pipe of the caller's.
    /// Only for the one thread that captures, which must hold the ring.
    /// </summary>
    public Captured Capture(int fd, (int Read, int Write) peek)
    {
        var readable = Descriptors.Readable(fd);
        if (readable == 0) return AtEnd(fd, peek);
        var at = (int)(_header->End % _capacity);
        var count = MakeRoom(Math.Min(Math.Min(readable, LongestCapture), _capacity - at));
        if (count == 0) return _header->Backpressure != 0 ? Captured.Full : Captured.Behind;
        if (!Reserve(at + count)) return Captured.NoStorage;
        Touch(at, count);
        var marked = count < NonceBytes ? MarkSmall(fd, peek, at, count) : MarkLarge(at, count);
        if (marked <= 0) return Failed(marked);
        Volatile.Write(ref _header->IntentEnd, _header->End);
        Volatile.Write(ref _header->IntentBytes, marked);
        var got = Descriptors.Read(fd, _data + at, marked);
        if (got > 0) Volatile.Write(ref _header->End, _header->End + got);
        Volatile.Write(ref _header->IntentBytes, 0);
        if (got <= 0) return Failed(got);
        Changed();
        Volatile.Read(ref _follower)?.Invoke();
        return Captured.Some;
    }

    /// <summary>What the last agent intended: published if its read took place, otherwise as if it never was.</summary>
    private void FinishCapture()
    {
        var count = _header->IntentBytes;
        var at = (int)(_header->End % _capacity);
        if (count > 0 && count <= _capacity - at && _header->IntentEnd == _header->End && !IsMarked(at, count))
        {
            Volatile.Write(ref _header->End, _header->End + count);
        }

        Volatile.Write(ref _header->IntentBytes, 0);
    }

    private bool IsMarked(int at, int count) => count < NonceBytes
        ? new ReadOnlySpan<byte>(_data + at, count).SequenceEqual(new ReadOnlySpan<byte>(_header->Expected, count))
        : new ReadOnlySpan<byte>(_data + at + count - NonceBytes, NonceBytes)
            .SequenceEqual(new ReadOnlySpan<byte>(_header->Nonce, NonceBytes));

    /// <summary>An empty pipe is quiet or at its end; tee(2) tells which, and takes nothing.</summary>
    private static Captured AtEnd(int fd, (int Read, int Write) peek)
    {
        var seen = Descriptors.Tee(fd, peek.Write, 1);
        if (seen == 0) return Captured.EndOfFile;
        if (seen < 0) return Failed(seen);
        byte peeked;
        _ = Descriptors.Read(peek.Read, &peeked, 1);
        return Captured.Some;
    }

    private static Captured Failed(int answer) => answer is 0 or -Errno.Again ? Captured.Nothing : Captured.Unreadable;

    /// <summary>
    /// Room for so many bytes, or fewer: under backpressure, and where a log has yet to file what would leave. Bytes
    /// leave before they are overwritten.
    /// </summary>
    private int MakeRoom(int count)
    {
        lock (_gate)
        {
            var room = (int)Math.Max(0, _header->Limit - (_header->End - _header->Start));
            if (_header->Backpressure != 0)
            {
                _isWriterWaiting = room == 0;
                return Math.Min(count, room);
            }

            var leaving = count - room;
            if (leaving <= 0) return count;
            if (leaving > Leaving - _header->Start && !IsDiskStuck())
            {
                leaving = (int)Math.Max(0, Leaving - _header->Start);
                count = room + leaving;
                _isWriterWaiting = count == 0;
            }

            // What a log has is not lost.
            var start = _header->Start + leaving;
            var kept = _follower is null ? _header->Start : Math.Clamp(_header->Filed, _header->Start, start);
            _header->Dropped += start - kept;
            _header->Start = start;
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

    private void Touch(int at, int count)
    {
        for (var i = at; i < at + count; i = (i / Page * Page) + Page)
        {
            Volatile.Write(ref _data[i], Volatile.Read(ref _data[i]));
        }
    }

    private int MarkLarge(int at, int count)
    {
        new ReadOnlySpan<byte>(_header->Nonce, NonceBytes)
            .CopyTo(new Span<byte>(_data + at + count - NonceBytes, NonceBytes));
        return count;
    }

    /// <summary>How many bytes are marked: what tee(2) showed of those asked for, or its negative errno.</summary>
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

    /// <summary>What would leave the ring is not in its log yet: the writer waits for the disk, for a while.</summary>
    Behind,

    /// <summary>The file system of the rings is full: the writer waits until it is not.</summary>
    NoStorage,

    /// <summary>The kernel refused for a reason of its own, as when it is out of memory: the writer waits.</summary>
    Unreadable,
}
