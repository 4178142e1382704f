using System;
using System.Diagnostics;
using System.IO;

namespace Agent.Benchmarks;

/// <summary>One build of the agent, by the name it is reported under.</summary>
internal sealed record Build(string Name, string Path);

/// <summary>Other programs, run to their end.</summary>
internal static class Programs
{
    /// <summary>Answers what it printed.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message has what it said.</exception>
    public static string Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {output}");
    }
}

/// <summary>A folder that is gone when it is disposed.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("agent-bench.").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
