using System;
using System.Collections.Concurrent;
using System.Threading;
using System.Threading.Tasks;

namespace Agent.Shell.Output;

/// <summary>
/// One thread that files what services say: from their rings into their logs, a slice of each ring in turn. A disk
/// that hangs holds up this thread and nothing else.
/// </summary>
internal sealed class LogFiler : IDisposable
{
    // Large enough for the disk, small enough to stay in the processor's cache between its two copies.
    private const int Slice = 256 << 10;

    // An agent that ends does not wait for a disk that hangs: what is in the rings is filed by the next one.
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(2);

    private readonly ConcurrentQueue<Followed> _talking = new();
    private readonly AutoResetEvent _ready = new(false);
    private readonly Thread _thread;
    private volatile bool _isEnding;

    public LogFiler()
    {
        _thread = new Thread(Run) { Name = "logs", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Files what the ring holds and will hold. What the last agent's death cut short is gone on with.</summary>
    public Followed Follow(Ring ring, ServiceLog log)
    {
        ring.RecoverFiling(log.Found);
        var followed = new Followed(this, ring, log);
        ring.FollowedBy(followed.Wake);
        followed.Wake();
        return followed;
    }

    public void Dispose()
    {
        _isEnding = true;
        _ready.Set();
        if (_thread.Join(EndPatience)) _ready.Dispose();
    }

    private void Run()
    {
        var buffer = new byte[Slice];
        while (!_isEnding)
        {
            _ready.WaitOne();
            while (!_isEnding && _talking.TryDequeue(out var followed)) followed.Serve(buffer);
        }
    }

    private void Queue(Followed followed)
    {
        _talking.Enqueue(followed);
        _ready.Set();
    }

    /// <summary>One ring and the log it goes to.</summary>
    internal sealed class Followed(LogFiler filer, Ring ring, ServiceLog log)
    {
        private readonly TaskCompletionSource _caughtUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _isQueued;
        private volatile bool _isLast;

        /// <summary>There may be more in the ring; at most one turn for it is queued.</summary>
        public void Wake()
        {
            if (Interlocked.Exchange(ref _isQueued, 1) == 0) filer.Queue(this);
        }

        /// <summary>Ends when all that the ring holds is filed, which from there on is followed by nobody.</summary>
        public Task EndAsync()
        {
            _isLast = true;
            Wake();
            return _caughtUp.Task;
        }

        public void Serve(byte[] buffer)
        {
            Volatile.Write(ref _isQueued, 0);
            var read = ring.Since(ring.Filed, buffer);
            if (read.Bytes.Length > 0)
            {
                log.Append(ring, read);
                Wake();
            }
            else if (_isLast && _caughtUp.TrySetResult())
            {
                ring.FollowedBy(null);
            }
        }
    }
}
