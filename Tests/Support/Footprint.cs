using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace Agent.Tests.Support;

/// <summary>What a process holds of the machine, as the kernel tells it.</summary>
internal sealed record Footprint(int Descriptors, int Threads, long PssKiB, double CpuSeconds)
{
    // Of the kernel's clock, whatever its own is.
    private const double TicksASecond = 100;

    public static Footprint Of(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return new(
            Directory.GetFileSystemEntries($"/proc/{pid}/fd").Length,
            Number(fields[17]),
            PssOf(pid),
            (Number(fields[11]) + Number(fields[12])) / TicksASecond);
    }

    /// <summary>The largest memory that is seen until it is told to stop.</summary>
    public static async Task<long> LargestPssAsync(int pid, CancellationToken stop)
    {
        for (var largest = 0L; ;)
        {
            largest = Math.Max(largest, PssOf(pid));
            await Task.Delay(200, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stop.IsCancellationRequested) return largest;
        }
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Descriptors} descriptors, {Threads} threads, {PssKiB / 1024.0:F1} MiB, {CpuSeconds:F1} cpu s");

    private static long PssOf(int pid) => Number(
        File.ReadLines($"/proc/{pid}/smaps_rollup").First(line => line.StartsWith("Pss:", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
