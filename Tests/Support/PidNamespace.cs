using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using Xunit;

namespace Agent.Tests.Support;

/// <summary>
/// A pid namespace of a test's own, in which the next pid can be chosen. Its first process takes every orphan's exit at
/// once, as init does. Disposing kills all that is in it.
/// </summary>
internal sealed class PidNamespace : IDisposable
{
    private readonly Process _holder;
    private readonly string _init;

    private PidNamespace(Process holder, string init) => (_holder, _init) = (holder, init);

    /// <summary>The words before a command that make it run in here.</summary>
    public string[] Enter => ["nsenter", "--target", _init, "--pid", "--mount", "--"];

    public static PidNamespace Open()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "a pid namespace is made by root");
        var holder = Process.Start("unshare", [
            "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", "sleep 1000000 & wait",
        ]);
        var children = $"/proc/{holder.Id}/task/{holder.Id}/children";
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < TimeSpan.FromSeconds(30) && !holder.HasExited)
        {
            var init = File.ReadAllText(children).Trim();
            if (init.Length > 0 && File.ReadAllText($"/proc/{init}/cmdline").StartsWith("sh", StringComparison.Ordinal))
            {
                return new(holder, init);
            }
        }

        holder.Dispose();
        throw new SkipException("this host makes no pid namespace");
    }

    /// <summary>
    /// Starts a process that leads a session and a group and has exactly this pid; answers its pid on the outside.
    /// </summary>
    public int Take(int pid)
    {
        for (var attempt = 0; attempt < 50; attempt++)
        {
            // The shell itself starts it right after the choice, so that hardly anybody comes between the two.
            Run("sh", "-c", $"echo {pid - 1} > /proc/sys/kernel/ns_last_pid; setsid sleep 1000000 > /dev/null & true");
            if (Outside(pid) is not { } outside) continue;
            if (File.ReadAllText($"/proc/{outside}/cmdline") == "sleep\01000000\0") return outside;
        }

        throw new SkipException($"pid {pid} could not be had");
    }

    /// <summary>The pid on the outside of what has this pid in here; none if nothing has.</summary>
    public int? Outside(int pid)
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out var outside)) continue;
            try
            {
                if (File.ResolveLinkTarget($"{directory}/ns/pid", false)?.Name != Name) continue;
                var pids = File.ReadLines($"{directory}/status").First(line => line.StartsWith("NSpid:", StringComparison.Ordinal));
                if (pids.Split('\t')[^1] == pid.ToString(CultureInfo.InvariantCulture)) return outside;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // It ended while we looked, or is none of ours.
            }
        }

        return null;
    }

    public void Dispose()
    {
        _holder.Kill();
        _holder.WaitForExit();
        _holder.Dispose();
    }

    private string? Name => File.ResolveLinkTarget($"/proc/{_init}/ns/pid", false)?.Name;

    private void Run(params string[] command)
    {
        using var process = Process.Start(Enter[0], [.. Enter.Skip(1), .. command]);
        process.WaitForExit();
        if (process.ExitCode != 0) throw new SkipException("this host does not let the next pid be chosen");
    }
}
