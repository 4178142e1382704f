using System;
using System.IO;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace Agent.Shell.Linux;

/// <summary>
/// A file in memory, shared with whoever maps it next: what is stored in it survives this process's death.
/// </summary>
internal sealed unsafe partial class MappedFile : IDisposable
{
    private const int Page = 4096;

    private readonly FileStream _file;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;

    public MappedFile(string path, long length)
    {
        _file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite | FileShare.Delete,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            BufferSize = 0,
        });
        if (_file.Length < length) _file.SetLength(length);
        _map = MemoryMappedFile.CreateFromFile(
            _file, null, length, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
        _view = _map.CreateViewAccessor(0, length);
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        Start = start;
    }

    public byte* Start { get; }

    /// <summary>
    /// Makes sure that storage stands behind a range and that its pages are there: a full file system is an answer
    /// here and not a SIGBUS later. False: there is no room.
    /// </summary>
    public bool Reserve(long offset, long length)
    {
        if (fallocate((int)_file.SafeFileHandle.DangerousGetHandle(), 0, offset, length) != 0) return false;
        for (var at = offset; at < offset + length; at += Page) Start[at] = Start[at];
        return true;
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
        _file.Dispose();
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fallocate(int fd, int mode, long offset, long length);
}
