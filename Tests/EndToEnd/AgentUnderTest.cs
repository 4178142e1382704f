using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>
/// A real agent, as an operator would run it, in folders of its own: started, killed, started again, asked over its
/// socket. AGENT_BINARY names another build of it (the native one). Disposing ends everything it started.
/// </summary>
public sealed class AgentUnderTest : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const int SigTerm = 15;

    private readonly HttpClient _http;
    private Process? _process;

    public AgentUnderTest(string yaml = "")
    {
        Home = Directory.CreateTempSubdirectory("agent-e2e.").FullName;
        Directory.CreateDirectory(State, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Configure(yaml);
        _http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (_, stop) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), stop);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        {
            BaseAddress = new Uri("http://agent"),
            Timeout = TimeSpan.FromMinutes(2),
        };
    }

    public static string Binary { get; } = Environment.GetEnvironmentVariable("AGENT_BINARY") is { Length: > 0 } named
        ? named
        : Path.Combine(AppContext.BaseDirectory, "agent");

    public string Home { get; }

    public string State => Path.Combine(Home, "s");

    public string Runtime => Path.Combine(Home, "r");

    public string Journal => Path.Combine(State, "journal");

    public string Socket => Path.Combine(Home, "r", "agent.sock");

    public string ConfigFile => Path.Combine(Home, "agent.yaml");

    /// <summary>Further options of `run`, such as --stop-all.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    public StringBuilder Errors { get; } = new();

    public int Pid => _process?.Id ?? throw new InvalidOperationException("the agent was not started");

    public int KeeperPid => Keepers.Single();

    /// <summary>Without those who are about to be children: until its exec one looks like its keeper.</summary>
    public IEnumerable<int> Keepers
    {
        get
        {
            var rows = ProcessTable.All().Where(row => row.CommandLine.Contains(" keep ", StringComparison.Ordinal)
                && row.CommandLine.Contains(Runtime, StringComparison.Ordinal)).Select(row => row.Pid).ToList();
            return rows.Where(pid => !rows.Contains(ProcessTable.ParentOf(pid)));
        }
    }

    public static string Unique() => Guid.NewGuid().ToString("N")[..12];

    public void Configure(string yaml) => File.WriteAllText(ConfigFile, yaml);

    public async Task<AgentUnderTest> StartAsync(params string[] prefix)
    {
        string[] command =
        [
            .. prefix, Binary, "run", "--config", ConfigFile, "--state-dir", State, "--runtime-dir", Runtime,
            "--socket", Socket, .. Options,
        ];
        var start = new ProcessStartInfo(command[0]) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var word in command.Skip(1)) start.ArgumentList.Add(word);
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) => Note(line.Data);
        _process.OutputDataReceived += (_, line) => Note(line.Data);
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        await UntilAsync("the agent answers", async () =>
        {
            if (_process.HasExited) Assert.Fail($"the agent ended at once:\n{Said}");
            return (await _http.GetAsync(new Uri("/healthz", UriKind.Relative))).IsSuccessStatusCode;
        });
        return this;
    }

    /// <summary>Runs the agent until it ends by itself and answers its exit code.</summary>
    public async Task<int> ExitCodeAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        await _process!.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    public void KillAgent()
    {
        _process!.Kill();

        // Not for the end of its output, which the guard of an upgrade holds open.
        Assert.True(_process.WaitForExit(Patience));
    }

    /// <summary>The agent, its keeper and all that they started; none of them lives when this returns.</summary>
    public void KillEverything()
    {
        while (ProcessTable.All().Where(IsOurs).ToList() is { Count: > 0 } rows)
        {
            foreach (var row in rows) _ = Native.Kill(row.Pid, Native.SigKill);
            Thread.Yield();
        }

        // Last: an agent that was traced outlives its tracer, and holds the pipe that is waited for here.
        if (_process is { HasExited: false }) _process.WaitForExit();
    }

    public void KillKeeper() => Assert.Equal(0, Native.Kill(KeeperPid, Native.SigKill));

    public async Task<int> TerminateAsync()
    {
        Assert.Equal(0, Native.Kill(Pid, SigTerm));
        return await ExitCodeAsync();
    }

    public async Task<JsonNode> GetAsync(string path)
    {
        var text = await _http.GetStringAsync(new Uri(path, UriKind.Relative));
        return JsonNode.Parse(text)!;
    }

    public async Task<string> TextAsync(string path) => await _http.GetStringAsync(new Uri(path, UriKind.Relative));

    public async Task<byte[]> BytesAsync(string path) => await _http.GetByteArrayAsync(new Uri(path, UriKind.Relative));

    /// <summary>The answer with its headers, as soon as those are there.</summary>
    public async Task<HttpResponseMessage> OpenAsync(string path) =>
        await _http.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);

    public async Task<int> DeleteAsync(string path)
    {
        using var answer = await _http.DeleteAsync(new Uri(path, UriKind.Relative));
        return (int)answer.StatusCode;
    }

    public async Task<(int Status, JsonNode? Body)> PostAsync(string path, string json = "{}")
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await _http.PostAsync(new Uri(path, UriKind.Relative), content);
        var text = await answer.Content.ReadAsStringAsync();
        return ((int)answer.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    /// <summary>Spawns a task and answers its process-info.</summary>
    public async Task<JsonNode> SpawnAsync(string json)
    {
        var (status, body) = await PostAsync("/v1/processes", json);
        Assert.True(status == 201, $"spawn answered {status}: {body}");
        return body!;
    }

    public async Task<IReadOnlyList<JsonNode>> ProcessesAsync() =>
        [.. ((JsonArray)await GetAsync("/v1/processes")).Select(node => node!)];

    public async Task<IReadOnlyDictionary<string, int>> PidsByLabelAsync() => (await ProcessesAsync())
        .Where(info => info["pid"] is not null)
        .ToDictionary(info => (string)info["label"]!, info => (int)info["pid"]!);

    /// <summary>Runs the agent's own command line.</summary>
    public static async Task<(int Code, string Out, string Error)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Binary) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }

    /// <summary>Asks again until the answer is yes; says what was waited for when patience runs out.</summary>
    public async Task UntilAsync(string what, Func<Task<bool>> condition, TimeSpan? patience = null)
    {
        var watch = Stopwatch.StartNew();
        Exception? last = null;
        while (watch.Elapsed < (patience ?? Patience))
        {
            try
            {
                if (await condition()) return;
                last = null;
            }
            catch (Exception failure) when (failure is HttpRequestException or IOException or InvalidOperationException)
            {
                last = failure;
            }

            await Task.Delay(10);
        }

        Assert.Fail($"waited in vain until {what}; last: {last?.Message}\nthe agent said:\n{Said}");
    }

    public void Dispose()
    {
        _http.Dispose();
        KillEverything();
        _process?.Dispose();
        Mounts.Release(Home);
        Directory.Delete(Home, recursive: true);
    }

    private string Said
    {
        get
        {
            lock (Errors) return Errors.ToString();
        }
    }

    private bool IsOurs(ProcessRow row) => row.Environment.Contains(Runtime, StringComparison.Ordinal)
        || row.CommandLine.Contains(Runtime, StringComparison.Ordinal);

    private void Note(string? line)
    {
        if (line is null) return;
        lock (Errors) Errors.AppendLine(line);
    }
}

/// <summary>The processes of this machine, read from /proc.</summary>
internal static class ProcessTable
{
    public static IEnumerable<ProcessRow> All()
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out var pid)) continue;
            if (Read(directory, "cmdline") is not { Length: > 0 } command) continue;
            yield return new(pid, command.Replace('\0', ' ').TrimEnd(), Read(directory, "environ") ?? "");
        }
    }

    public static bool IsAlive(int pid) => Read($"/proc/{pid}", "stat") is { } stat
        && !stat[(stat.LastIndexOf(')') + 2)..].StartsWith('Z');

    public static bool LeadsItsSession(int pid) => Field(pid, 3) == pid;

    /// <summary>0 if there is no such process.</summary>
    public static int ParentOf(int pid) => Field(pid, 1);

    private static int Field(int pid, int at) => Read($"/proc/{pid}", "stat") is { } stat
        ? int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[at], System.Globalization.CultureInfo.InvariantCulture)
        : 0;

    private static string? Read(string directory, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(directory, file));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

internal sealed record ProcessRow(int Pid, string CommandLine, string Environment);

internal static partial class Native
{
    public const int SigHup = 1;
    public const int SigKill = 9;
    public const int SigTerm = 15;
    public const int SigCont = 18;
    public const int SigStop = 19;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);
}

/// <summary>Small file systems of a test's own.</summary>
internal static class Mounts
{
    public static void Release(string under)
    {
        foreach (var line in File.ReadAllLines("/proc/mounts").Reverse())
        {
            var at = line.Split(' ')[1];
            if (at.StartsWith(under, StringComparison.Ordinal)) Run("umount", "-l", at);
        }
    }

    public static bool Run(string command, params string[] arguments)
    {
        var start = new ProcessStartInfo(command) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
