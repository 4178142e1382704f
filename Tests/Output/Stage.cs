using System;
using System.IO;
using System.Text;
using System.Threading;
using Agent.Shell.Linux;
using Agent.Shell.Output;

namespace Agent.Tests.Output;

/// <summary>A directory of its own for rings, FIFOs and logs, and what a test asks of them again and again.</summary>
internal sealed class Stage : IDisposable
{
    // Rings live on a tmpfs; a disk would write every page of theirs back.
    private const string Memory = "/dev/shm";

    private readonly DirectoryInfo _directory = Directory.Exists(Memory)
        ? Directory.CreateDirectory(Path.Combine(Memory, $"agent-output-{Guid.NewGuid():N}"))
        : Directory.CreateTempSubdirectory("agent-output-");

    /// <summary>For a wait that is told by an event; only a failing test waits so long.</summary>
    public static TimeSpan Patience => TimeSpan.FromSeconds(30);

    public string Root => _directory.FullName;

    public string At(string name) => Path.Combine(Root, name);

    public Ring Ring(string name = "ring", int capacity = 4096, bool backpressure = false) =>
        Agent.Shell.Output.Ring.Open(At(name), capacity, backpressure);

    /// <summary>A FIFO with both its ends, as the keeper makes it: the writer's side is the child's.</summary>
    public (string Path, int Read, int Write) Fifo(string name)
    {
        Descriptors.MakeFifo(At(name), 0, 0);
        var both = Descriptors.Open(At(name), Descriptors.ReadWrite);
        var read = Descriptors.Open(At(name), Descriptors.ReadOnly);
        var write = Descriptors.Open(At(name), Descriptors.WriteOnly);
        Descriptors.Close(both);
        return (At(name), read, write);
    }

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static string Text(RingRead read) => Encoding.UTF8.GetString(read.Bytes.Span);

    /// <summary>Blocks until the condition holds; for what has no event of its own.</summary>
    public static void Until(Func<bool> holds)
    {
        if (!SpinWait.SpinUntil(holds, Patience)) throw new TimeoutException("what the test waited for did not happen");
    }

    public void Dispose() => _directory.Delete(recursive: true);
}

/// <summary>A pipe and a ring it is captured into by hand, a step at a time.</summary>
internal sealed class HandFed : IDisposable
{
    private readonly (int Read, int Write) _pipe = Descriptors.Pipe();
    private readonly (int Read, int Write) _peek = Descriptors.Pipe();

    /// <summary>Says these bytes into the pipe; answers how many it took.</summary>
    public int Say(ReadOnlySpan<byte> bytes) => Math.Max(0, Descriptors.Write(_pipe.Write, bytes));

    public Captured Step(Ring ring) => ring.Capture(_pipe.Read, _peek);

    /// <summary>Captures until the pipe is empty or the ring is full.</summary>
    public Captured All(Ring ring)
    {
        while (true)
        {
            var captured = Step(ring);
            if (captured != Captured.Some) return captured;
        }
    }

    public Captured Feed(Ring ring, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var taken = Say(bytes);
            bytes = bytes[taken..];
            var captured = All(ring);
            if (captured == Captured.Full) return captured;
        }

        return Captured.Nothing;
    }

    /// <summary>What the pipe still holds.</summary>
    public int Pending => Descriptors.Readable(_pipe.Read);

    public void Dispose()
    {
        foreach (var fd in (int[])[_pipe.Read, _pipe.Write, _peek.Read, _peek.Write]) Descriptors.Close(fd);
    }
}
