using System;
using System.IO;
using Agent.Shell.Linux;

namespace Agent.Shell.Journal;

/// <summary>
/// Appends records to the newest segment, a batch at a time: one write, one fdatasync. After any failure it refuses
/// all further use, because a sync that failed once has nothing to say about what is on the disk.
/// </summary>
internal sealed class JournalWriter : IDisposable
{
    private readonly string _directory;
    private readonly JournalOptions _options;
    private byte[] _batch = new byte[64 << 10];
    private byte[] _zeros = [];
    private int _batchBytes;
    private long _batchSeq;
    private long _nextSeq;
    private string _path;
    private int _fd;
    private long _end;
    private long _zeroedTo;
    private bool _failed;

    private JournalWriter(string directory, JournalOptions options, string path, int fd, long end, long nextSeq)
    {
        _directory = directory;
        _options = options;
        _path = path;
        _fd = fd;
        _end = end;
        _zeroedTo = end;
        _nextSeq = nextSeq;
    }

    /// <summary>The segment has reached its size; the next commit should be followed by a rotation.</summary>
    public bool WantsRotation => _end >= _options.SegmentBytes;

    /// <summary>Goes on in a segment after its last whole record, cutting off whatever follows it.</summary>
    public static JournalWriter Continue(string directory, JournalOptions options, long firstSeq, long end, long nextSeq)
    {
        var path = JournalFiles.PathOf(directory, firstSeq, JournalFiles.Segment);
        var fd = Files.Open(path, create: false);
        Files.Resize(fd, path, end);
        Files.SyncData(fd, path);
        return new(directory, options, path, fd, end, nextSeq);
    }

    /// <summary>Begins a segment whose first record will be <paramref name="nextSeq"/>.</summary>
    public static JournalWriter Begin(string directory, JournalOptions options, long nextSeq)
    {
        var path = JournalFiles.PathOf(directory, nextSeq, JournalFiles.Segment);
        var fd = Files.Open(path, create: true, truncate: true);
        Files.SyncDirectory(directory);
        return new(directory, options, path, fd, 0, nextSeq);
    }

    /// <summary>Bytes of the batch under way.</summary>
    public int Pending => _batchBytes;

    /// <summary>Adds a record to the batch. Nothing is written yet.</summary>
    public void Append(long seq, long unixMilliseconds, ReadOnlySpan<byte> body)
    {
        if (_failed) throw new InvalidOperationException("the journal has failed and takes nothing more");
        if (seq != _nextSeq) throw new InvalidOperationException($"seq {seq} came where {_nextSeq} was due");
        if (_batchBytes == 0) _batchSeq = seq;
        var need = _batchBytes + body.Length + RecordLine.Overhead;
        if (need > _batch.Length) Array.Resize(ref _batch, Math.Max(need, _batch.Length * 2));
        _batchBytes += RecordLine.Write(_batch.AsSpan(_batchBytes), seq, _batchSeq, unixMilliseconds, body);
        _nextSeq = seq + 1;
    }

    /// <summary>
    /// Makes the batch durable. When this returns, it is; when it throws, nobody may be told that it is.
    /// </summary>
    /// <exception cref="JournalFailure">The disk refused; names the file, the offset, the seq and why.</exception>
    public void Commit()
    {
        if (_batchBytes == 0) return;
        Guarded(() =>
        {
            ZeroAhead(_end + _batchBytes);
            Files.Write(_fd, _path, _batch.AsSpan(0, _batchBytes), _end);
            Files.SyncData(_fd, _path);
        });
        _end += _batchBytes;
        _batchBytes = 0;
    }

    /// <summary>
    /// Ends the segment and begins the next. The snapshot of the state between them is durable, name and all, before
    /// anything older is removed.
    /// </summary>
    public void Rotate(long nextSeq, long unixMilliseconds, ReadOnlySpan<byte> snapshotBody)
    {
        if (_batchBytes > 0) throw new InvalidOperationException("a rotation comes between batches");
        var line = new byte[snapshotBody.Length + RecordLine.Overhead];
        var length = RecordLine.Write(line, nextSeq, nextSeq, unixMilliseconds, snapshotBody);
        Guarded(() =>
        {
            Files.Resize(_fd, _path, _end);
            Files.SyncData(_fd, _path);
            WriteSnapshot(nextSeq, line.AsSpan(0, length));
            Files.Close(_fd);
            _path = JournalFiles.PathOf(_directory, nextSeq, JournalFiles.Segment);
            _fd = Files.Open(_path, create: true, truncate: true);
            Files.SyncDirectory(_directory);
        });
        _end = 0;
        _zeroedTo = 0;
        RemoveOld();
    }

    public void Dispose()
    {
        if (_fd < 0) return;
        Files.Close(_fd);
        _fd = -1;
    }

    private void ZeroAhead(long to)
    {
        if (to <= _zeroedTo) return;
        var length = (int)Math.Max(_options.ZeroAheadBytes, to - _zeroedTo);
        if (_zeros.Length < length) _zeros = new byte[length];
        Files.Write(_fd, _path, _zeros.AsSpan(0, length), _zeroedTo);
        Files.SyncData(_fd, _path);
        _zeroedTo += length;
    }

    private void WriteSnapshot(long seq, ReadOnlySpan<byte> line)
    {
        var path = JournalFiles.PathOf(_directory, seq, JournalFiles.Snapshot);
        var unfinished = path + JournalFiles.Unfinished;
        var fd = Files.Open(unfinished, create: true, truncate: true);
        try
        {
            Files.Write(fd, unfinished, line, 0);
            Files.SyncData(fd, unfinished);
        }
        finally
        {
            Files.Close(fd);
        }

        Files.Rename(unfinished, path);
        Files.SyncDirectory(_directory);
    }

    /// <summary>
    /// What is kept is whole: the oldest segment left is either the first of all or has its snapshot.
    /// </summary>
    private void RemoveOld()
    {
        var segments = JournalFiles.Seqs(_directory, JournalFiles.Segment);
        if (segments.Count <= _options.KeepSegments) return;
        var oldest = segments[^_options.KeepSegments];
        foreach (var seq in segments)
        {
            if (seq < oldest) File.Delete(JournalFiles.PathOf(_directory, seq, JournalFiles.Segment));
        }

        foreach (var seq in JournalFiles.Seqs(_directory, JournalFiles.Snapshot))
        {
            if (seq < oldest) File.Delete(JournalFiles.PathOf(_directory, seq, JournalFiles.Snapshot));
        }
    }

    private void Guarded(Action write)
    {
        try
        {
            write();
        }
        catch (FileFailure failure)
        {
            _failed = true;
            throw new JournalFailure(
                $"the journal cannot be written: {failure.Message}, at offset {_end} of {_path}, before seq {_batchSeq} "
                + "was durable. The agent stops; what it supervises goes on. Free space or repair the disk, then start it.",
                failure);
        }
    }
}
