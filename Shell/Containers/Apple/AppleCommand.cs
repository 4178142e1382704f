using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Linux;

namespace Agent.Shell.Containers.Apple;

/// <summary>
/// One run of the `container` command. Its output goes to files of its own, so that it neither blocks nor is held in
/// memory, and a shell around it writes its exit code down: whoever reaps children here cannot take that away.
/// </summary>
internal sealed class AppleCommand : IDisposable
{
    /// <summary>Lists and accounts take some KiB.</summary>
    private const int MostBytes = 4 << 20;

    private const int MostErrorLength = 1000;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>How long a wait for the end goes before it looks whether it was given up.</summary>
    private const int WaitMilliseconds = 100;

    private readonly string _name;
    private readonly string _directory = Directory.CreateTempSubdirectory("agent-container-").FullName;
    private int _pidfd = -1;
    private int _pid;

    public AppleCommand(string name)
    {
        _name = name;
        File.SetUnixFileMode(_directory, OwnerOnly);
    }

    public string OutputFile => Path.Combine(_directory, "out");

    private string CodeFile => Path.Combine(_directory, "code");

    /// <summary>A file of this run alone, 0600 in a directory of 0700: what must not stand in a command line.</summary>
    public string Write(string name, string text)
    {
        var path = Path.Combine(_directory, name);
        using (var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            file.Write(Encoding.UTF8.GetBytes(text));
        }

        return path;
    }

    public string PathOf(string name) => Path.Combine(_directory, name);

    public void Start(string program, IReadOnlyList<string> arguments)
    {
        const string Script = "\"$@\" >\"$0/out\" 2>\"$0/err\"; echo $? >\"$0/code.new\" && mv \"$0/code.new\" \"$0/code\"";
        File.WriteAllText(OutputFile, "");
        var (pid, errno) = Spawner.Spawn(new(
            "/bin/sh", ["sh", "-c", Script, _directory, program, .. arguments], Surroundings(), null,
            ("/dev/null", Descriptors.ReadOnly), ("/dev/null", Descriptors.WriteOnly), ("/dev/null", Descriptors.WriteOnly)));
        if (errno != 0) throw new ContainerException(ContainerFault.Unreachable, $"{program} cannot be started (errno {errno})");
        (_pid, _pidfd) = (pid, Processes.Open(pid));
    }

    /// <summary>Its end, with what it printed; its own complaint where it failed.</summary>
    public async Task<string> EndAsync(TimeSpan limit, CancellationToken stop)
    {
        using var within = CancellationTokenSource.CreateLinkedTokenSource(stop);
        within.CancelAfter(limit);
        await Task.Run(() => Wait(within.Token), CancellationToken.None).ConfigureAwait(false);
        if (!HasEnded)
        {
            stop.ThrowIfCancellationRequested();
            throw new ContainerException(
                ContainerFault.TimedOut, FormattableString.Invariant($"no answer within {limit.TotalSeconds:0.#} s ({_name})"));
        }

        var code = Read(CodeFile).Trim();
        if (code == "0") return Read(OutputFile);
        var error = Read(PathOf("err")).Trim();
        throw new ContainerException(FaultOf(error), error.Length == 0 ? $"{_name} ended with code {code}" : Cut(error));
    }

    public bool HasEnded => _pidfd < 0 || File.Exists(CodeFile) || Processes.StartTime(_pid) is null;

    public void Dispose()
    {
        if (_pidfd >= 0)
        {
            // A run that was given up ends with all it started; its leader is still a child of ours.
            if (!HasEnded && Processes.Signal(_pidfd, Processes.Kill)) Processes.SignalGroup(_pid, Processes.Kill);
            Wait(CancellationToken.None);
            Processes.TryReap(_pid);
            Descriptors.Close(_pidfd);
        }

        Directory.Delete(_directory, recursive: true);
    }

    private void Wait(CancellationToken limit)
    {
        if (_pidfd < 0) return;
        using var epoll = new Epoll();
        epoll.Watch(_pidfd, Epoll.In, 0);
        while (!limit.IsCancellationRequested && epoll.Wait(WaitMilliseconds).Length == 0 && Processes.StartTime(_pid) is not null)
        {
            // Once more.
        }
    }

    private static ContainerFault FaultOf(string error) =>
        error.Contains("not found", StringComparison.OrdinalIgnoreCase) ? ContainerFault.NotFound
        : error.Contains("already exists", StringComparison.OrdinalIgnoreCase) ? ContainerFault.Conflict
        : ContainerFault.Failed;

    private static string Cut(string error) => error.Length <= MostErrorLength ? error : error[..MostErrorLength] + "…";

    private static string Read(string file)
    {
        if (!File.Exists(file)) return "";
        using var stream = File.OpenRead(file);
        if (stream.Length > MostBytes)
        {
            throw new ContainerException(ContainerFault.Garbage, $"the answer is larger than {MostBytes} bytes");
        }

        using var text = new StreamReader(stream);
        return text.ReadToEnd();
    }

    private static List<string> Surroundings()
    {
        var kept = new List<string> { "LANG=C.UTF-8" };
        foreach (var name in (string[])["PATH", "HOME", "TMPDIR"])
        {
            if (Environment.GetEnvironmentVariable(name) is { Length: > 0 } value) kept.Add($"{name}={value}");
        }

        return kept;
    }
}
