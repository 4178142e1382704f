using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Text;
using System.Threading;

namespace Agent.Benchmarks;

/// <summary>A running agent in folders of its own. Disposing ends it, its keeper and all that they run.</summary>
internal sealed class AgentProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TempFolder _home = new();
    private readonly Process _process;

    private AgentProcess(Build build, Func<string, string> configure)
    {
        var config = Path.Combine(_home.Path, "agent.yaml");
        File.WriteAllText(config, configure(_home.Path));
        var start = new ProcessStartInfo(build.Path) { RedirectStandardError = true };
        foreach (var word in (string[])[
            "run", "--config", config, "--state-dir", Path.Combine(_home.Path, "s"), "--runtime-dir", RuntimeDir,
            "--socket", Socket])
        {
            start.ArgumentList.Add(word);
        }

        var watch = Stopwatch.StartNew();
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        Await("it answers", () => Answers(Socket));
        FirstAnswer = watch.Elapsed;
    }

    public string Home => _home.Path;

    public string Socket => Path.Combine(RuntimeDir, "agent.sock");

    public TimeSpan FirstAnswer { get; }

    public double PssMebibytes => Both.Sum(pid => File.ReadLines($"/proc/{pid}/smaps_rollup")
        .Where(line => line.StartsWith("Pss:", StringComparison.Ordinal))
        .Sum(line => double.Parse(line[4..^2], CultureInfo.InvariantCulture))) / 1024;

    /// <summary>Hundredths of a second, in user and system mode, of agent and keeper.</summary>
    public long CpuTicks => Both.Sum(pid =>
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
    });

    private string RuntimeDir => Path.Combine(_home.Path, "r");

    private int[] Both => [_process.Id, Pids(" keep ").Single()];

    /// <summary>Starts with the configuration that is made for its folder, and waits for its first answer.</summary>
    public static AgentProcess Start(Build build, Func<string, string> configure) => new(build, configure);

    public static AgentProcess Start(Build build, string yaml = "") => new(build, _ => yaml);

    public static string Sleepers(int count)
    {
        var yaml = new StringBuilder("services:\n");
        for (var n = 0; n < count; n++) yaml.Append($"  s{n:000}:\n    command: [/bin/sleep, \"1000\"]\n");
        return yaml.ToString();
    }

    /// <summary>A runtime that binds its sockets and never says a word, so that its start is under way for long.</summary>
    public static string SilentRuntime(string home)
    {
        const string Listen =
            "exec python3 -c 'import socket,sys,time;s=socket.socket(socket.AF_UNIX);s.bind(sys.argv[1]);s.listen(9);time.sleep(1000)' ";
        Fake("containerd", Listen + "$(echo \"$*\" | grep -oE '[^ ]*containerd[^ ]*[.]sock')");
        foreach (var idle in (string[])["dockerd", "containerd-shim-runc-v2", "runc"]) Fake(idle, "exec sleep 1000");

        void Fake(string name, string body)
        {
            var path = Path.Combine(Directory.CreateDirectory(Path.Combine(home, "bin")).FullName, name);
            File.WriteAllText(path, $"#!/bin/sh\n{body}\n");
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return $"""
            runtime:
              keep: onDemand
              searchPath: [{home}/bin]
              socket: {home}/r/docker.sock
              dataRoot: {home}/docker
              startTimeout: 90s

            """;
    }

    /// <summary>Waits for a process of which the command line has this.</summary>
    public void AwaitRunning(string command) => Await($"{command} runs", () => Pids(command).Length > 0);

    public void AwaitRunning(int count) => Await($"{count} services run", () => Pids("/bin/sleep 1000").Length >= count);

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        Await("all of it is gone", () =>
        {
            var left = Pids("");
            foreach (var pid in left) Kill(pid);
            return left.Length == 0;
        });
        _process.Dispose();
        _home.Dispose();
    }

    private static void Kill(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            process.Kill();
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException)
        {
            // It ended by itself between the look and the kill.
        }
    }

    private static bool Answers(string socket)
    {
        try
        {
            using var connection = new RawConnection(socket);
            return connection.Ask(RawConnection.Get("/healthz")) == 200;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Everything of this agent's: its command line or its environment names the folder.</summary>
    private int[] Pids(string command) => [.. Directory.EnumerateDirectories("/proc")
        .Select(Path.GetFileName)
        .Where(name => int.TryParse(name, CultureInfo.InvariantCulture, out _))
        .Where(name => (Read($"/proc/{name}/cmdline") + " " + Read($"/proc/{name}/environ")) is var text
            && text.Contains(_home.Path, StringComparison.Ordinal) && text.Contains(command, StringComparison.Ordinal))
        .Select(name => int.Parse(name!, CultureInfo.InvariantCulture))];

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path).Replace('\0', ' ');
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    public static void Await(string what, Func<bool> condition)
    {
        for (var watch = Stopwatch.StartNew(); !condition();)
        {
            if (watch.Elapsed > Patience) throw new TimeoutException($"waited in vain until {what}");
            Thread.Sleep(TimeSpan.FromMicroseconds(500));
        }
    }
}
