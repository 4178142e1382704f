using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Linux;

namespace Agent.Shell.Effects;

/// <summary>
/// One short run of a command of the host's. Its output goes to files of its own, so that it neither blocks nor is held in
/// memory, and a shell around it writes its exit code down: whoever reaps children here cannot take that away. It leaves
/// nothing in the journal; what must outlive the agent is a supervised command.
/// </summary>
internal sealed class LocalCommand : IDisposable
{
    /// <summary>Lists and accounts take some KiB.</summary>
    public const int MostBytes = 4 << 20;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>How long a wait for the end goes before it looks whether it was given up.</summary>
    private const int WaitMilliseconds = 100;

    private readonly string _directory;
    private int _pidfd = -1;
    private int _pid;

    /// <param name="folder">Where its files stand while it runs. Whoever owns the folder clears what a kill left there.</param>
    public LocalCommand(string folder)
    {
        _directory = Path.Combine(folder, $"agent-command-{Guid.NewGuid():n}");
        Directory.CreateDirectory(_directory, OwnerOnly);
    }

    public string OutputFile => Path.Combine(_directory, "out");

    public bool HasEnded => _pidfd < 0 || File.Exists(CodeFile) || Processes.StartTime(_pid) is null;

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

    /// <exception cref="IOException">It cannot be started. A program that is not there ends with 127 instead.</exception>
    public void Start(string program, IReadOnlyList<string> arguments)
    {
        const string Script = "\"$@\" >\"$0/out\" 2>\"$0/err\"; echo $? >\"$0/code.new\" && mv \"$0/code.new\" \"$0/code\"";
        File.WriteAllText(OutputFile, "");
        var (pid, errno) = Spawner.Spawn(new(
            "/bin/sh", ["sh", "-c", Script, _directory, program, .. arguments], Surroundings(), null,
            ("/dev/null", Descriptors.ReadOnly), ("/dev/null", Descriptors.WriteOnly), ("/dev/null", Descriptors.WriteOnly)));
        if (errno != 0) throw new IOException($"{program} cannot be started (errno {errno})");
        (_pid, _pidfd) = (pid, Processes.Open(pid));
    }

    /// <summary>How it ended, or null if it has not within the limit.</summary>
    /// <exception cref="IOException">It printed more than is taken.</exception>
    public async Task<LocalEnd?> EndAsync(TimeSpan limit, CancellationToken stop)
    {
        using var within = CancellationTokenSource.CreateLinkedTokenSource(stop);
        within.CancelAfter(limit);
        await Task.Run(() => Wait(within.Token), CancellationToken.None).ConfigureAwait(false);
        if (HasEnded) return new(Read(CodeFile).Trim(), Read(OutputFile), Read(PathOf("err")).Trim());
        stop.ThrowIfCancellationRequested();
        return null;
    }

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

    private static string Read(string file)
    {
        if (!File.Exists(file)) return "";
        using var stream = File.OpenRead(file);
        if (stream.Length > MostBytes) throw new IOException($"the answer is larger than {MostBytes} bytes");
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

/// <summary>Its exit code as its shell wrote it down (empty where that was killed), and all it said.</summary>
internal sealed record LocalEnd(string Code, string Output, string Error)
{
    public bool IsSuccess => Code == "0";
}
