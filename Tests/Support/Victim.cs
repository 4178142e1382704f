using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using Agent.Shell.Linux;
using Agent.Shell.Output;

namespace Agent.Tests.Support;

/// <summary>A process of its own that does one thing until it is killed.</summary>
internal static class Victim
{
    /// <summary>So large that a flood does not fill it before the kill.</summary>
    public const int RingBytes = 128 << 20;

    /// <summary>Starts this assembly as a program.</summary>
    public static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.ChangeExtension(typeof(Victim).Assembly.Location, null))
        {
            RedirectStandardOutput = true,
        };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private static int Main(string[] arguments) => arguments switch
    {
        ["capture", var fifo, var ring] => Capture(fifo, ring),
        _ => throw new ArgumentException($"nothing is called {arguments.FirstOrDefault()}"),
    };

    /// <summary>Captures without a pause, so that a kill nearly always meets it half way through.</summary>
    private static int Capture(string fifo, string path)
    {
        var fd = Descriptors.Open(fifo, Descriptors.ReadOnly);
        var peek = Descriptors.Pipe();
        using var ring = Ring.Open(path, RingBytes, backpressure: true);
        Console.WriteLine("ready");
        while (ring.Capture(fd, peek) != Captured.EndOfFile)
        {
            // Full or quiet, it tries again.
        }

        return 0;
    }
}
