using System;
using System.Collections.Concurrent;
using Agent.Core.Model;
using Agent.Core.Time;

namespace Agent.Shell.Plane;

/// <summary>
/// How much one host may ask of the plane: a bucket that fills steadily. A broken host costs itself, not the fleet.
/// </summary>
internal sealed class HostQuotas(Func<Instant> clock)
{
    // A host that was away for a day has some hundred batches to tell; that is an answer each.
    private const double Burst = 200;

    // Ten times what a busy host needs: a batch a second, a question, a heartbeat.
    private const double PerSecond = 20;

    private readonly ConcurrentDictionary<HostName, Bucket> _buckets = new();

    /// <summary>Null where it may go on; else how long it has to wait.</summary>
    public TimeSpan? Take(HostName host)
    {
        var bucket = _buckets.GetOrAdd(host, _ => new(Burst, clock()));
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

    private sealed class Bucket(double level, Instant at)
    {
        public double Level { get; set; } = level;

        public Instant At { get; set; } = at;
    }
}
