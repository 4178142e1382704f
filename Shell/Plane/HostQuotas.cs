using System;
using System.Collections.Concurrent;
using System.Threading;
using Agent.Core.Model;
using Agent.Core.Time;

namespace Agent.Shell.Plane;

/// <summary>
/// How much one host may ask of the plane: a bucket that fills steadily, and a few places for what lasts. A broken host
/// costs itself, not the fleet.
/// </summary>
internal sealed class HostQuotas(Func<Instant> clock)
{
    // A host that was away for a day has some hundred batches to tell; that is an answer each.
    private const double Burst = 200;

    // Ten times what a busy host needs: a batch a second, a question, a heartbeat.
    private const double PerSecond = 20;

    // A host tells, beats, renews and fetches one after the other; each body may have 4 MiB.
    private const int MostAtOnce = 8;

    /// <summary>After which it may look for a place again.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<HostName, Bucket> _buckets = new();

    /// <summary>Null where it may go on; else how long it has to wait.</summary>
    public TimeSpan? Take(HostName host)
    {
        var bucket = Of(host);
        lock (bucket)
        {
            var now = clock();
            bucket.Level = Math.Min(Burst, bucket.Level + ((now - bucket.At).TotalSeconds * PerSecond));
            bucket.At = now;
            if (bucket.Level < 1) return TimeSpan.FromSeconds((1 - bucket.Level) / PerSecond);
            bucket.Level--;
            return null;
        }
    }

    /// <summary>A place for what lasts, given up when it is disposed; null where the host has all of its own.</summary>
    public IDisposable? Enter(HostName host)
    {
        var bucket = Of(host);
        if (Interlocked.Increment(ref bucket.Inside) <= MostAtOnce) return new Place(bucket);
        Interlocked.Decrement(ref bucket.Inside);
        return null;
    }

    private Bucket Of(HostName host) => _buckets.GetOrAdd(host, _ => new(Burst, clock()));

    private sealed class Place(Bucket bucket) : IDisposable
    {
        private Bucket? _bucket = bucket;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _bucket, null) is { } left) Interlocked.Decrement(ref left.Inside);
        }
    }

    private sealed class Bucket(double level, Instant at)
    {
        public int Inside;

        public double Level { get; set; } = level;

        public Instant At { get; set; } = at;
    }
}
