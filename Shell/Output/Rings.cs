using System;
using System.IO;
using Agent.Core.Model;
using Agent.Core.Process;

namespace Agent.Shell.Output;

/// <summary>The two rings of one process, which live as long as the agent knows its id.</summary>
internal sealed class Rings : IDisposable
{
    private Rings(string stem, int capacity, bool? backpressure, int spare)
    {
        Stdout = Ring.Open(stem + ".out", capacity, backpressure, spare);
        Stderr = OpenSecond(stem + ".err", capacity, backpressure, spare, Stdout);
        Stdout.DetachAll();
        Stderr.DetachAll();
    }

    public Ring Stdout { get; }

    public Ring Stderr { get; }

    public static Rings Open(string directory, ProcessId id, ProcessSpec spec)
    {
        var stem = Path.Combine(directory, id.Value);

        // A ring that is there keeps its size: cursors given out count on what it holds.
        var backpressure = spec.Overflow == Overflow.Backpressure;
        var spare = backpressure ? Ring.LastWordsBytes : 0;
        return new Rings(stem, Ring.CapacityOf(stem + ".out") ?? spec.RingBytes + spare, backpressure, spare);
    }

    /// <summary>Rings that are there, as they were left by an agent that is dead; nothing if there are none.</summary>
    public static Rings? Reopen(string directory, ProcessId id)
    {
        var stem = Path.Combine(directory, id.Value);
        return Ring.CapacityOf(stem + ".out") is { } capacity ? new Rings(stem, capacity, backpressure: null, spare: 0) : null;
    }

    /// <summary>The names go at once, the memory when whoever holds the rings has let go.</summary>
    public static void Remove(string directory, ProcessId id)
    {
        var stem = Path.Combine(directory, id.Value);
        File.Delete(stem + ".out");
        File.Delete(stem + ".err");
    }

    public void Dispose()
    {
        Stdout.Dispose();
        Stderr.Dispose();
    }

    private static Ring OpenSecond(string path, int capacity, bool? backpressure, int spare, Ring first)
    {
        try
        {
            return Ring.Open(path, capacity, backpressure, spare);
        }
        catch
        {
            first.Dispose();
            throw;
        }
    }
}
