using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Threading;
using Agent.Shell.Linux;
using Agent.Shell.Observability;

namespace Agent.Shell.Output;

/// <summary>
/// One thread that moves what children say from their FIFOs into their rings, straight from the kernel's memory into
/// the mapped file. It sleeps when nobody speaks. The interest is level-triggered: what a round leaves in a pipe, for
/// fairness or want of room, is told again; a full ring's pipe is not watched until there is room.
/// </summary>
internal sealed class OutputPump : IDisposable
{
    // Storage may come back at any time and nobody tells; a second is soon enough for a full file system.
    private const int RetryMilliseconds = 1000;

    private const ulong WakeMark = ulong.MaxValue;

    private readonly Lock _gate = new();
    private readonly Epoll _epoll = new();
    private readonly (int Read, int Write) _wake = Descriptors.Pipe();
    private readonly (int Read, int Write) _peek = Descriptors.Pipe();
    private readonly ConcurrentQueue<Action> _orders = new();
    private readonly Dictionary<ulong, Feed> _feeds = [];
    private readonly HashSet<Feed> _starved = [];
    private readonly Thread _thread;
    private ulong _lastFeed;
    private long _retryAt;
    private bool _isEnding;

    public OutputPump()
    {
        _epoll.Watch(_wake.Read, Epoll.In, WakeMark);
        _thread = new Thread(Run) { Name = "output", IsBackground = true };
        _thread.Start();
    }

    /// <summary>
    /// Reads a FIFO into a ring until its last writer is gone, then calls <paramref name="ended"/>, once, on the
    /// pump's thread. The descriptor is the pump's from here on. A FIFO that never had a writer is at its end, so
    /// this comes after the spawn. A ring may have several feeds: incarnations that overlap.
    /// </summary>
    public void Attach(int fd, Ring ring, Action ended) => Order(() =>
    {
        if (!ring.TryHold())
        {
            Descriptors.Close(fd);
            ended();
            return;
        }

        var feed = new Feed(++_lastFeed, fd, ring, ended);
        feed.Freed = () => Order(() => Serve(feed));
        ring.Freed += feed.Freed;
        _feeds[feed.Id] = feed;
        _epoll.Watch(fd, Epoll.In, feed.Id);
        Serve(feed);
    });

    /// <summary>Ends every feed of a ring as if its pipe had ended, whoever still holds the pipe open.</summary>
    public void Detach(Ring ring) => Order(() =>
    {
        foreach (var feed in (Feed[])[.. _feeds.Values])
        {
            if (feed.Ring == ring) End(feed);
        }
    });

    /// <summary>Lets go of all pipes at once; what they hold stays in them, and no end is called.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isEnding) return;
            _isEnding = true;
            Wake();
        }

        _thread.Join();
        foreach (var feed in _feeds.Values) LetGo(feed);
        foreach (var fd in (int[])[_wake.Read, _wake.Write, _peek.Read, _peek.Write]) Descriptors.Close(fd);
        _epoll.Dispose();
    }

    /// <summary>Under the gate, so that the wake descriptor is never written to after it was closed.</summary>
    private void Order(Action order)
    {
        lock (_gate)
        {
            if (_isEnding) return;
            _orders.Enqueue(order);
            Wake();
        }
    }

    // A full pipe will wake as well.
    private void Wake() => _ = Descriptors.Write(_wake.Write, [1]);

    private void Run()
    {
        while (!Volatile.Read(ref _isEnding))
        {
            var events = _epoll.Wait(_starved.Count > 0 ? RetryMilliseconds : -1);
            foreach (var @event in events)
            {
                if (@event.Data == WakeMark) TakeOrders();
                else if (_feeds.TryGetValue(@event.Data, out var feed)) Serve(feed);
            }

            if (_starved.Count > 0 && Environment.TickCount64 >= _retryAt) Retry();
        }
    }

    private void Retry()
    {
        foreach (var feed in (Feed[])[.. _starved]) Serve(feed);
        _retryAt = Environment.TickCount64 + RetryMilliseconds;
    }

    private unsafe void TakeOrders()
    {
        var drained = stackalloc byte[64];
        while (Descriptors.Read(_wake.Read, drained, 64) > 0)
        {
            // Only that there was something counts.
        }

        while (_orders.TryDequeue(out var order)) order();
    }

    /// <summary>
    /// Takes a feed's share of the round. Either bytes are left after it, of which the kernel tells again, or the pipe
    /// was seen empty and its end was looked for: a pipe whose writer was gone before we came never reports a hang-up.
    /// </summary>
    private void Serve(Feed feed)
    {
        if (feed.IsOver) return;
        var share = feed.Ring.End + Ring.LongestCapture;
        Captured captured;
        do
        {
            captured = feed.Ring.Capture(feed.Fd, _peek);
        }
        while (captured == Captured.Some && (feed.Ring.End < share || Descriptors.Readable(feed.Fd) == 0));
        switch (captured)
        {
            case Captured.Some or Captured.Nothing: Listen(feed, true); break;
            case Captured.EndOfFile: End(feed); break;
            case Captured.Full: Listen(feed, false); break;
            case Captured.Behind: Pause(feed); break;
            case Captured.NoStorage: Starve(feed, "the file system of the rings is full"); break;
            case Captured.Unreadable: Starve(feed, "a pipe could not be read"); break;
            default: throw new InvalidOperationException("a capture has no other outcome");
        }
    }

    private void Starve(Feed feed, string why)
    {
        if (Pause(feed)) Log.Warn($"{why}: its process waits, the agent tries again each second");
    }

    /// <summary>It is tried again when its ring has room, and each second. False: it waited already.</summary>
    private bool Pause(Feed feed)
    {
        Listen(feed, false);
        return _starved.Add(feed);
    }

    /// <summary>A pipe that may not be read is not watched, or the kernel would tell of it without end.</summary>
    private void Listen(Feed feed, bool listen)
    {
        if (listen) _starved.Remove(feed);
        if (feed.IsListening == listen) return;
        if (listen) _epoll.Watch(feed.Fd, Epoll.In, feed.Id);
        else _epoll.Forget(feed.Fd);
        feed.IsListening = listen;
    }

    private void End(Feed feed)
    {
        feed.IsOver = true;
        _starved.Remove(feed);
        _feeds.Remove(feed.Id);
        if (feed.IsListening) _epoll.Forget(feed.Fd);
        feed.Ended();
        LetGo(feed);
    }

    private static void LetGo(Feed feed)
    {
        feed.Ring.Freed -= feed.Freed;
        Descriptors.Close(feed.Fd);
        feed.Ring.Release();
    }

    private sealed class Feed(ulong id, int fd, Ring ring, Action ended)
    {
        public ulong Id => id;

        public int Fd => fd;

        public Ring Ring => ring;

        public Action Ended => ended;

        public Action Freed { get; set; } = static () => { };

        public bool IsListening { get; set; } = true;

        public bool IsOver { get; set; }
    }
}
