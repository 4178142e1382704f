using System;
using System.IO;
using Agent.Core.Model;
using Agent.Core.Process;

namespace Agent.Shell.Output;

/// <summary>The two rings of one process, which live as long as the agent knows its id.</summary>
internal sealed class Rings : IDisposable
{
    private readonly string _stem;

    private Rings(string stem, int capacity, bool backpressure)
    {
        _stem = stem;
        Stdout = Ring.Open(stem + ".out", capacity, backpressure);
        Stderr = Ring.Open(stem + ".err", capacity, backpressure);
        Stdout.DetachAll();
        Stderr.DetachAll();
    }

    public Ring Stdout { get; }

    public Ring Stderr { get; }

    public static Rings Open(string directory, ProcessId id, ProcessSpec spec)
    {
        var stem = Path.Combine(directory, id.Value);

        // A ring that is there keeps its size: cursors given out count on what it holds.
        var capacity = Ring.CapacityOf(stem + ".out") ?? spec.RingBytes;
        return new Rings(stem, capacity, spec.Overflow == Overflow.Backpressure);
    }

    /// <summary>Rings that are there, as they were left by an agent that is dead.</summary>
    public static Rings Reopen(string directory, ProcessId id)
    {
        var stem = Path.Combine(directory, id.Value);
        return new Rings(stem, Ring.CapacityOf(stem + ".out") ?? ProcessSpec.MinRingBytes, backpressure: false);
    }

    public void Remove()
    {
        Dispose();
        File.Delete(_stem + ".out");
        File.Delete(_stem + ".err");
    }

    public void Dispose()
    {
        Stdout.Dispose();
        Stderr.Dispose();
    }
}
