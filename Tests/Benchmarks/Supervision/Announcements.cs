using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using Agent.Shell.Linux;

namespace Agent.Benchmarks.Supervision;

/// <summary>What one child said: s it runs, w it begins to write, e all it wrote was read.</summary>
/// <param name="At">The monotonic clock in nanoseconds, which on Linux is also <see cref="Stopwatch.GetTimestamp"/>.</param>
internal readonly record struct Announcement(char Kind, int Number, int Pid, long At);

/// <summary>Everything the children of one supervisor said, in order, since it was prepared.</summary>
internal sealed class Announcements : IDisposable
{
    private readonly List<Announcement> _heard = [];
    private readonly FileStream _fifo;

    public Announcements(string path)
    {
        Descriptors.MakeFifo(path, Processes.EffectiveUser, Processes.EffectiveUser);
        // Open for writing too, so that a moment without a writer is no end; unread bytes of one line are at most 96.
        _fifo = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        new Thread(Listen) { IsBackground = true }.Start();
    }

    public long LastAt
    {
        get
        {
            lock (_heard) return _heard.Count == 0 ? 0 : _heard[^1].At;
        }
    }

    /// <summary>The first that fits, waited for; null when the time is over.</summary>
    public Announcement? Await(Func<Announcement, bool> fits, TimeSpan patience) =>
        Await(heard => heard.Where(fits).Select(one => (Announcement?)one).FirstOrDefault(), patience);

    /// <summary>When the last of so many services first ran; null when the time is over.</summary>
    public long? AwaitAll(int count, TimeSpan patience) => Await(
        heard => heard.Count >= count && FirstOfEach(heard) is var first && first.Count >= count ? first.Max() : (long?)null,
        patience);

    /// <summary>The pid that each service had last.</summary>
    public int Pid(int number)
    {
        lock (_heard) return _heard.Last(one => one.Kind == 's' && one.Number == number).Pid;
    }

    /// <summary>The listener ends with what it is told last: a line of its own.</summary>
    public void Dispose()
    {
        _fifo.Write("q 0 0 0\n"u8);
        lock (_heard)
        {
            while (_heard.Count == 0 || _heard[^1].Kind != 'q') Monitor.Wait(_heard);
        }

        _fifo.Dispose();
    }

    private static List<long> FirstOfEach(List<Announcement> heard) =>
        [.. heard.Where(one => one.Kind == 's').GroupBy(one => one.Number).Select(each => each.First().At)];

    private T? Await<T>(Func<List<Announcement>, T?> answer, TimeSpan patience)
        where T : struct
    {
        var end = Stopwatch.GetTimestamp() + (long)(patience.TotalSeconds * Stopwatch.Frequency);
        lock (_heard)
        {
            while (true)
            {
                if (answer(_heard) is { } found) return found;
                var left = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), end);
                if (left <= TimeSpan.Zero) return null;
                Monitor.Wait(_heard, left);
            }
        }
    }

    private void Listen()
    {
        using var reader = new StreamReader(_fifo, leaveOpen: true);
        while (reader.ReadLine() is { } line)
        {
            var words = line.Split(' ');
            lock (_heard)
            {
                _heard.Add(new(words[0][0], Number(words[1]), Number(words[2]), long.Parse(words[3], CultureInfo.InvariantCulture)));
                Monitor.PulseAll(_heard);
            }

            if (words[0] == "q") return;
        }

        static int Number(string word) => int.Parse(word, CultureInfo.InvariantCulture);
    }
}
