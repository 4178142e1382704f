using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Activators.Releases;
using Agent.Shell.Linux;
using Agent.Shell.Output;
using Agent.Tests.Output;

namespace Agent.Tests.Support;

/// <summary>A process of its own that does one thing until it is killed.</summary>
internal static class Victim
{
    /// <summary>So large that a flood does not fill it before the kill.</summary>
    public const int RingBytes = 128 << 20;

    /// <summary>This assembly as a program.</summary>
    public static string Program { get; } = Path.ChangeExtension(typeof(Victim).Assembly.Location, null);

    /// <summary>Starts it.</summary>
    public static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Program)
        {
            RedirectStandardOutput = true,
        };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private static async Task<int> Main(string[] arguments) => arguments switch
    {
        ["capture", var fifo, var ring] => Capture(fifo, ring),
        ["log", var fifo, var ring, var folder] => Log(fifo, ring, folder),
        ["releases", var root, .. var archives] => await ReleasesAsync(root, archives),
        ["records", var bytes] => Say(long.Parse(bytes, CultureInfo.InvariantCulture)),
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

    /// <summary>Captures and files as the agent does, to the pipe's end, and says so.</summary>
    private static int Log(string fifo, string path, string folder)
    {
        using var ended = new ManualResetEventSlim();
        using var ring = Ring.Open(path, 1 << 20, backpressure: false);
        using var log = new ServiceLog(
            new(folder, "stdout"), new(4 << 20, 100), static loss => throw new IOException(loss.Reason), TimeProvider.System);
        using var filer = new LogFiler();
        using var pump = new OutputPump();
        var followed = filer.Follow(ring, log);
        pump.Attach(Descriptors.Open(fifo, Descriptors.ReadOnly), ring, ended.Set);
        Console.WriteLine("ready");
        ended.Wait();
        followed.EndAsync().Wait();
        Console.WriteLine("ended");
        return 0;
    }

    /// <summary>Says the stream of records, as fast as it is heard, and on stderr the digest of all that it said.</summary>
    private static int Say(long bytes)
    {
        var block = new byte[256 << 10];
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var said = 0L; said < bytes;)
        {
            var next = block.AsSpan(0, (int)Math.Min(block.Length, bytes - said));
            Records.Fill(said, next);
            digest.AppendData(next);
            said += next.Length;
            while (!next.IsEmpty) next = next[Math.Max(0, Descriptors.Write(1, next))..];
        }

        Console.Error.Write(Convert.ToHexString(digest.GetHashAndReset()));
        return 0;
    }

    /// <summary>Imports, switches and collects, and says so.</summary>
    private static async Task<int> ReleasesAsync(string root, string[] archives)
    {
        using var store = new ReleaseStore(root, ReleaseCycle.Limits);
        store.Sweep();
        Console.WriteLine("ready");
        var releases = archives.Select(TestRelease.At).ToList();
        await ReleaseCycle.RunAsync(store, releases, (what, sha256) => Console.WriteLine($"{what} {sha256}"));
        return 0;
    }
}
