using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Threading;
using Agent.Shell.Linux;

namespace Agent.Shell.Output;

/// <summary>
/// The captured output of one stream of one process: a memory-mapped file of fixed size. Offsets count every byte ever
/// captured, so a cursor given out once holds through restarts of the agent. One thread, the pump's, captures; any
/// thread reads. What is being captured lies behind the end, where no reader looks; what is being evicted has left
/// the start before it is overwritten, so a reader that copied it meanwhile sees that and leaves it out.
/// </summary>
internal sealed unsafe partial class Ring : IDisposable
{
    /// <summary>The most that one read hands out, in bytes.</summary>
    public const int LongestRead = 4 << 20;

    public const int HeaderBytes = 4096;

    /// <summary>
    /// What a pipe may hold, in bytes. Under backpressure a ring has as much to spare for what a process that has ended
    /// left in its pipe: there is nobody any more whom a full ring would hold up.
    /// </summary>
    public const int LastWordsBytes = Descriptors.PipeBytes;

    // The last byte is the layout's version.
    private const ulong Magic = 0x31474E5254474141;

    // Storage is taken as it is first needed: a ring that stays small costs little.
    private const int ReserveStep = 64 << 10;

    private readonly Lock _gate = new();
    private readonly MappedFile _file;
    private readonly Header* _header;
    private readonly byte* _data;
    private readonly int _capacity;
    private long _reserved;
    private long _lastEnd;
    private int _users = 1;
    private bool _isWriterWaiting;
    private bool _isGone;

    private Ring(MappedFile file, int capacity, int spare)
    {
        _file = file;
        _header = (Header*)file.Start;
        _data = file.Start + HeaderBytes;
        _capacity = capacity;
        if (!_header->IsSound(capacity)) Format(_header, capacity, spare);
        _reserved = _header->End >= capacity ? capacity : RoundUp(_header->End, capacity);
        FinishCapture();
    }

    /// <summary>Raised, outside the gate, when a ring whose writer waits for room has some again.</summary>
    public event Action? Freed;

    public long Start => Told(static header => header->Start, gone: _lastEnd);

    public long End => Told(static header => Volatile.Read(ref header->End), gone: _lastEnd);

    public long Dropped => Told(static header => header->Dropped, gone: 0);

    public long Buffered => Told(static header => header->End - header->Start, gone: 0);

    /// <summary>Its writer waits for room, and nothing is evicted.</summary>
    public bool HasBackpressure => Told(static header => header->Backpressure, gone: 0) != 0;

    /// <summary>The process has ended for good and its pipe was read to the end: nothing more comes.</summary>
    public bool HasEnded => Told(static header => header->HasEnded ? 1 : 0, gone: 1) != 0;

    /// <summary>It was disposed; whoever holds it still reads it to no harm.</summary>
    public bool IsGone
    {
        get
        {
            lock (_gate) return _isGone;
        }
    }

    /// <summary>
    /// Opens the ring at this path as it was left, or makes it. The overflow policy is the one asked for here; without
    /// one, it stays as it was. Of a new ring's capacity so much is spared for last words. Throws <see
    /// cref="IOException"/> when there is no room for it.
    /// </summary>
    public static Ring Open(string path, int capacity, bool? backpressure = null, int spare = 0)
    {
        var file = new MappedFile(path, HeaderBytes + capacity);
        try
        {
            if (!file.Reserve(0, HeaderBytes)) throw new IOException($"no space for the ring {path}, make room there");
            var ring = new Ring(file, capacity, spare);
            if (backpressure is { } asked) ring._header->Backpressure = asked ? 1 : 0;
            return ring;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The capacity that the ring at this path was made with; nothing if there is none.</summary>
    public static int? CapacityOf(string path)
    {
        var file = new FileInfo(path);
        return file.Exists && file.Length > HeaderBytes ? (int)(file.Length - HeaderBytes) : null;
    }

    /// <summary>
    /// Whoever holds the ring keeps its memory there, though it is disposed meanwhile. False: it is gone already.
    /// </summary>
    public bool TryHold()
    {
        lock (_gate)
        {
            if (_isGone) return false;
            _users++;
            return true;
        }
    }

    public void Release()
    {
        lock (_gate)
        {
            if (--_users > 0) return;
        }

        _file.Dispose();
    }

    /// <summary>A reader of this stream begins (+1) or has seen its end of file (-1).</summary>
    public void Attach(int change)
    {
        Told(header => header->Attached += change, gone: 0);
        Changed();
    }

    /// <summary>Whoever read this stream before is dead: no reader is attached.</summary>
    public void DetachAll() => Told(static header => header->Attached = 0, gone: 0);

    /// <summary>Whether a further incarnation may still write here.</summary>
    public void Close(bool closed)
    {
        Told(header => header->Closed = closed ? 1 : 0, gone: 0);
        Changed();
    }

    /// <summary>
    /// Its process has ended, and what is left in its pipe is taken in beyond the bound that held up the process; or
    /// another incarnation of it begins.
    /// </summary>
    public void TakeLastWords(bool taken)
    {
        Told(header => header->TakesLastWords = taken ? 1 : 0, gone: 0);
        if (taken) Freed?.Invoke();
    }

    /// <summary>The file stays. Reads answer that nothing more comes; the memory goes with its last reader.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isGone) return;
            _lastEnd = _header->End;
            _isGone = true;
        }

        Changed();
        FiledMore();
        Release();
    }

    /// <summary>What the header says, or what stands for it when the memory may be gone.</summary>
    private long Told(HeaderAsked ask, long gone)
    {
        lock (_gate) return _isGone ? gone : ask(_header);
    }

    /// <summary>The magic comes last: a death in here leaves a ring that is formatted again.</summary>
    private static void Format(Header* header, int capacity, int spare)
    {
        *header = new Header { Capacity = capacity, Spare = spare };
        RandomNumberGenerator.Fill(new Span<byte>(header->Nonce, NonceBytes));
        Volatile.Write(ref header->Magic, Magic);
    }

    private static long RoundUp(long bytes, int capacity) =>
        Math.Min(capacity, (bytes + ReserveStep - 1) / ReserveStep * ReserveStep);

    private delegate long HeaderAsked(Header* header);

    /// <summary>The first page of the file. Fields are written whole, in an order that no death confuses.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Header
    {
        public ulong Magic;
        public long Capacity;
        public long Start;
        public long End;
        public long Dropped;
        public int Backpressure;
        public int Closed;
        public int Attached;

        /// <summary>How many bytes are about to be read to <see cref="IntentEnd"/>; 0: none are.</summary>
        public int IntentBytes;
        public long IntentEnd;

        /// <summary>The offset behind the last byte that is in the log file.</summary>
        public long Filed;

        /// <summary>How many bytes are about to go to the log file, which is <see cref="FilingAt"/> long.</summary>
        public int FilingBytes;
        public long FilingAt;
        public long FilingFrom;
        public fixed byte Nonce[NonceBytes];
        public fixed byte Expected[NonceBytes];

        /// <summary>What of the capacity is kept for last words, and whether they are being taken.</summary>
        public int Spare;
        public int TakesLastWords;

        /// <summary>What may be in the ring, in bytes.</summary>
        public readonly long Limit => Capacity - (Backpressure != 0 && TakesLastWords == 0 ? Spare : 0);

        public readonly bool HasEnded => Closed != 0 && Attached == 0;

        public readonly bool IsSound(int capacity) =>
            Magic == Ring.Magic && Capacity == capacity && Start >= 0 && Start <= End && End - Start <= capacity;
    }
}
