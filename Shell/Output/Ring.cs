using System;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Linux;

namespace Agent.Shell.Output;

/// <summary>
/// The captured output of one stream of one process: a memory-mapped file of fixed size. Offsets count every byte ever
/// captured, so a cursor given out once holds through restarts of the agent. The pump alone captures; readers read
/// under the gate, and what is being captured lies outside of what they may see.
/// </summary>
internal sealed unsafe partial class Ring : IDisposable
{
    /// <summary>The most that one read hands out.</summary>
    public const int LongestRead = 4 << 20;

    private const int HeaderBytes = 4096;
    private const ulong Magic = 0x31474E5254474141;

    // Storage is taken as it is first needed: a ring that stays small costs little.
    private const int ReserveStep = 64 << 10;

    private readonly Lock _gate = new();
    private readonly MappedFile _file;
    private readonly Header* _header;
    private readonly byte* _data;
    private readonly int _capacity;
    private TaskCompletionSource? _changed;
    private long _reserved;

    private Ring(MappedFile file, int capacity, bool backpressure)
    {
        _file = file;
        _header = (Header*)file.Start;
        _data = file.Start + HeaderBytes;
        _capacity = capacity;
        if (_header->Magic != Magic || _header->Capacity != capacity)
        {
            *_header = new Header { Magic = Magic, Capacity = capacity };
            RandomNumberGenerator.Fill(new Span<byte>(_header->Nonce, NonceBytes));
        }

        _header->Backpressure = backpressure ? 1 : 0;
        _reserved = _header->End >= capacity ? capacity : RoundUp(_header->End, capacity);
        FinishCapture();
    }

    /// <summary>Raised, outside the gate, when a full ring under backpressure has room again.</summary>
    public event Action? Freed;

    public long End => Volatile.Read(ref _header->End);

    public long Dropped => Volatile.Read(ref _header->Dropped);

    public long Buffered
    {
        get
        {
            lock (_gate) return _header->End - _header->Start;
        }
    }

    /// <summary>How far a log file has followed; kept here so that its follower goes on where it was.</summary>
    public long Filed
    {
        get => Volatile.Read(ref _header->Filed);
        set => Volatile.Write(ref _header->Filed, value);
    }

    /// <summary>The process has ended for good and its pipe was read to the end: nothing more comes.</summary>
    public bool HasEnded => Volatile.Read(ref _header->Closed) != 0 && Volatile.Read(ref _header->Attached) == 0;

    /// <summary>Opens the ring at this path as it was left, or makes it.</summary>
    public static Ring Open(string path, int capacity, bool backpressure)
    {
        var file = new MappedFile(path, HeaderBytes + capacity);
        return new Ring(file, capacity, backpressure);
    }

    /// <summary>The capacity that the ring at this path was made with; nothing if there is none.</summary>
    public static int? CapacityOf(string path)
    {
        var file = new System.IO.FileInfo(path);
        return file.Exists && file.Length > HeaderBytes ? (int)(file.Length - HeaderBytes) : null;
    }

    /// <summary>Bytes from the cursor on, the gap before them if they were evicted, and whether this is all there will be.</summary>
    public RingRead Since(long cursor, int max)
    {
        lock (_gate)
        {
            if (cursor > _header->End) return new(default, _header->End, 0, Eof: false, Beyond: true);
            var from = Math.Max(cursor, _header->Start);
            var count = (int)Math.Min(Math.Min(max, LongestRead), _header->End - from);
            var next = from + count;
            return new(Copy(from, count), next, from - cursor, HasEnded && next == _header->End, Beyond: false);
        }
    }

    /// <summary>The last lines, cut at the front to at most so many bytes. A last line without its end counts as one.</summary>
    public RingRead Tail(int lines, int max)
    {
        lock (_gate)
        {
            var first = Math.Max(_header->Start, _header->End - Math.Min(max, LongestRead));
            var from = _header->End;
            for (var left = lines; from > first; from--)
            {
                var endsLine = _data[(from - 1) % _capacity] == '\n';
                if (endsLine && from != _header->End && --left == 0) break;
                if (lines == 0) break;
            }

            return Since(from, max);
        }
    }

    /// <summary>The oldest bytes, which then are gone for everybody.</summary>
    public RingRead Drain(int max)
    {
        RingRead read;
        lock (_gate)
        {
            read = Since(_header->Start, max);
            _header->Start = read.Next;
        }

        Freed?.Invoke();
        return read;
    }

    /// <summary>Under backpressure, what lies before the cursor may go. False: the cursor lies behind the newest byte.</summary>
    public bool Ack(long cursor)
    {
        lock (_gate)
        {
            if (cursor > _header->End) return false;
            if (_header->Backpressure != 0) _header->Start = Math.Max(_header->Start, cursor);
        }

        Freed?.Invoke();
        return true;
    }

    /// <summary>A reader of this stream begins (+1) or has seen its end of file (-1).</summary>
    public void Attach(int change)
    {
        Interlocked.Add(ref _header->Attached, change);
        Changed();
    }

    /// <summary>Whoever read this stream before is dead: no reader is attached.</summary>
    public void DetachAll() => Volatile.Write(ref _header->Attached, 0);

    /// <summary>Whether a further incarnation may still write here.</summary>
    public void Close(bool closed)
    {
        Volatile.Write(ref _header->Closed, closed ? 1 : 0);
        Changed();
    }

    /// <summary>Completes with the next change after this call.</summary>
    public Task NextChange()
    {
        while (true)
        {
            var existing = Volatile.Read(ref _changed);
            if (existing is not null) return existing.Task;
            var fresh = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (Interlocked.CompareExchange(ref _changed, fresh, null) is null) return fresh.Task;
        }
    }

    public void Dispose()
    {
        Changed();
        _file.Dispose();
    }

    private void Changed() => Interlocked.Exchange(ref _changed, null)?.TrySetResult();

    private byte[] Copy(long from, int count)
    {
        var bytes = new byte[count];
        var at = (int)(from % _capacity);
        var first = Math.Min(count, _capacity - at);
        new ReadOnlySpan<byte>(_data + at, first).CopyTo(bytes);
        new ReadOnlySpan<byte>(_data, count - first).CopyTo(bytes.AsSpan(first));
        return bytes;
    }

    private static long RoundUp(long bytes, int capacity) =>
        Math.Min(capacity, (bytes + ReserveStep - 1) / ReserveStep * ReserveStep);

    /// <summary>The first page of the file. Every field is written whole, and in an order that a death cannot confuse.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Header
    {
        public ulong Magic;
        public long Capacity;
        public long Start;
        public long End;
        public long Dropped;
        public int Backpressure;
        public int Closed;
        public int Attached;
        public int IntentBytes;
        public long IntentEnd;
        public long Filed;
        public fixed byte Nonce[NonceBytes];
        public fixed byte Expected[NonceBytes];
    }
}

/// <summary>What a read of a ring found; <c>Beyond</c> says that the cursor lay behind the newest byte.</summary>
internal readonly record struct RingRead(ReadOnlyMemory<byte> Bytes, long Next, long Dropped, bool Eof, bool Beyond);
