using System;
using System.Runtime.InteropServices;

namespace Agent.Shell.Linux;

/// <summary>Waits for many descriptors at once. Each carries a number of its owner's choice.</summary>
internal sealed partial class Epoll : IDisposable
{
    public const uint In = 0x001;
    public const uint Out = 0x004;
    public const uint Error = 0x008;
    public const uint HangUp = 0x010;

    private const int CloseOnExec = 0x80000;
    private const int Add = 1;
    private const int Delete = 2;
    private const int Modify = 3;

    // Enough for every process of a full registry to speak at once; the rest is there at the next call.
    private readonly Event[] _ready = new Event[512];
    private readonly int _fd;

    public Epoll()
    {
        _fd = epoll_create1(CloseOnExec);
        if (_fd < 0) throw Errno.Failure("epoll_create1");
    }

    public void Watch(int fd, uint events, ulong data) => Control(Add, fd, events, data);

    public void Change(int fd, uint events, ulong data) => Control(Modify, fd, events, data);

    public void Forget(int fd)
    {
        Event none = default;
        _ = epoll_ctl(_fd, Delete, fd, ref none);
    }

    /// <summary>
    /// What is ready, after at most the given milliseconds (-1: no limit). Valid until the next call.
    /// </summary>
    public ReadOnlySpan<Event> Wait(int milliseconds)
    {
        var count = epoll_wait(_fd, _ready, _ready.Length, milliseconds);
        if (count >= 0) return _ready.AsSpan(0, count);
        return Errno.Last == Errno.Interrupted ? [] : throw Errno.Failure("epoll_wait");
    }

    public void Dispose() => Descriptors.Close(_fd);

    private void Control(int operation, int fd, uint events, ulong data)
    {
        var @event = new Event { Events = events, Data = data };
        if (epoll_ctl(_fd, operation, fd, ref @event) != 0) throw Errno.Failure("epoll_ctl");
    }

    /// <summary>The kernel's struct epoll_event, packed as on x86-64.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    internal struct Event
    {
        public uint Events;
        public ulong Data;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(int epoll, int operation, int fd, ref Event @event);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_wait(int epoll, [Out] Event[] events, int count, int milliseconds);
}
