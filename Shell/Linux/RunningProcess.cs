using System;
using System.Buffers;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;

namespace Agent.Shell.Linux;

/// <summary>One process of this machine, as /proc told of it at one moment.</summary>
/// <param name="StartTime">Clock ticks since boot; with the pid it names the process for good.</param>
/// <param name="CpuMilliseconds">Its own and that of the children it reaped, so that a family's sum does not fall with an end.</param>
/// <param name="ResidentBytes">Pages shared with others count in each.</param>
internal readonly record struct RunningProcess(
    int Pid, int Parent, int Session, char State, long StartTime, long CpuMilliseconds, long ResidentBytes)
{
    // More than a machine of any use runs at once; one that does costs a look no more than this.
    private const int MostProcesses = 1 << 16;

    // Enough to tell commands apart; a command line may have 2 MiB.
    private const int MostCommandBytes = 4 << 10;

    // As much environment as a process may be spawned with here, and what it adds itself.
    private const int MostEnvironmentBytes = 1 << 20;

    // The kernel counts in hundredths of a second towards programs, whatever its own clock.
    private const int MillisecondsOfTick = 10;

    /// <summary>When it was started, on the clock of <see cref="SinceBoot"/>.</summary>
    public long StartedMilliseconds => StartTime * MillisecondsOfTick;

    /// <summary>Milliseconds since the machine was started, the time that it slept among them.</summary>
    public static long SinceBoot()
    {
        var text = File.ReadAllText("/proc/uptime");
        var seconds = double.Parse(text.AsSpan(0, text.IndexOf(' ', StringComparison.Ordinal)), CultureInfo.InvariantCulture);
        return (long)(seconds * 1000);
    }

    /// <summary>All there are. One that ends meanwhile is left out.</summary>
    public static List<RunningProcess> All()
    {
        var all = new List<RunningProcess>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)) continue;
            if (Read(pid, "stat", MostCommandBytes) is { } stat && Parse(pid, stat) is { } process) all.Add(process);
            if (all.Count == MostProcesses) break;
        }

        return all;
    }

    /// <summary>Reads a line of stat; null for what is none.</summary>
    public static RunningProcess? Parse(int pid, string stat)
    {
        // The name is in parentheses and may hold anything; the fields behind it are plain, the state is the third.
        var behind = stat.LastIndexOf(')') + 2;
        if (behind < 2 || behind >= stat.Length) return null;
        var fields = stat[behind..].Split(' ');
        if (fields.Length < 22) return null;
        var ticks = Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14]);
        return new(
            pid, (int)Number(fields[1]), (int)Number(fields[3]), fields[0][0], Number(fields[19]),
            ticks * MillisecondsOfTick, Number(fields[21]) * Environment.SystemPageSize);
    }

    /// <summary>Its arguments; its name in brackets where it has none, as a kernel's thread or a zombie.</summary>
    public IReadOnlyList<string> Command()
    {
        var text = Read(Pid, "cmdline", MostCommandBytes);
        if (!string.IsNullOrEmpty(text)) return text.TrimEnd('\0').Split('\0');
        return [$"[{Read(Pid, "comm", MostCommandBytes)?.TrimEnd('\n') ?? "gone"}]"];
    }

    /// <summary>Its memory, with each shared page in equal parts for all who share it; null where it may not be read.</summary>
    public long? ProportionalBytes()
    {
        const string Line = "\nPss:";
        if (Read(Pid, "smaps_rollup", MostCommandBytes) is not { } text) return null;
        var at = text.IndexOf(Line, StringComparison.Ordinal);
        if (at < 0) return null;
        var rest = text[(at + Line.Length)..].TrimStart();
        return Number(rest[..Math.Max(0, rest.IndexOf(' ', StringComparison.Ordinal))]) * 1024;
    }

    /// <summary>A variable of the environment that it was started with.</summary>
    public string? Variable(string name)
    {
        foreach (var one in (Read(Pid, "environ", MostEnvironmentBytes) ?? "").Split('\0'))
        {
            if (one.Length > name.Length && one[name.Length] == '=' && one.StartsWith(name, StringComparison.Ordinal))
            {
                return one[(name.Length + 1)..];
            }
        }

        return null;
    }

    private static long Number(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static string? Read(int pid, string file, int most)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(most);
        try
        {
            using var stream = new FileStream(
                string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/{file}"), FileMode.Open, FileAccess.Read,
                FileShare.ReadWrite, bufferSize: 0);
            return Encoding.UTF8.GetString(bytes, 0, stream.ReadAtLeast(bytes.AsSpan(0, most), most, throwOnEndOfStream: false));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // It ended while we looked, or is somebody else's.
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
