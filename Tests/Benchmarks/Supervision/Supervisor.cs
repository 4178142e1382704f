using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;

namespace Agent.Benchmarks.Supervision;

/// <summary>
/// One supervisor in a folder of its own: its configuration, sockets and state are there, and every process of it
/// names the folder. Disposing ends all of them, whatever state they are in.
/// </summary>
internal abstract class Supervisor : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TempFolder _home = new();
    private Process? _started;

    protected Supervisor(string child)
    {
        File.Copy(child, Program);
        Said = new(Path.Combine(Home, Child.Fifo));
    }

    /// <summary>What the children say; nothing but children is asked whether they run.</summary>
    public Announcements Said { get; }

    public string Home => _home.Path;

    /// <summary>Whether what its services write to their output can be had from it.</summary>
    public virtual bool Captures => true;

    /// <summary>The process that all others of the supervisor hang on.</summary>
    protected virtual int Manager => _started!.Id;

    protected string Program => Path.Combine(Home, Child.FileName);

    protected int Services { get; private set; }

    public static string Label(int number) => $"s{number:000}";

    /// <summary>Writes the configuration of so many services; nothing is started.</summary>
    public void Prepare(int services, Work work)
    {
        Services = services;
        Configure(work);
    }

    /// <summary>Starts the supervisor, also once more after it was killed; does not wait.</summary>
    public void Start()
    {
        _started?.Dispose();
        _started = Launch(Command);
    }

    /// <summary>Its own processes, not its services.</summary>
    public IReadOnlyList<int> Own() => [.. Belongings.Of(Home).Where(one => one.Service is null).Select(one => one.Pid)];

    /// <summary>The living processes of each service.</summary>
    public ILookup<int, int> Running() => Belongings.Of(Home)
        .Where(one => one.Service is not null).ToLookup(one => one.Service!.Value, one => one.Pid);

    public void KillManager() => Belongings.Kill(Manager);

    /// <summary>Kills one of the processes that help the manager; false if it has none.</summary>
    public bool KillHelper() => Own().FirstOrDefault(pid => pid != Manager) is > 0 and var helper && Belongings.Kill(helper);

    public void StopOne(int number) => Tell(StopCommand(number));

    /// <summary>Has ends of services told, where that is to be asked for.</summary>
    public virtual void RecordEnds()
    {
    }

    /// <summary>Whether it can tell that this service was ended by SIGKILL.</summary>
    public abstract bool TellsEnd(int number);

    public void Dispose()
    {
        for (var watch = Stopwatch.StartNew(); Belongings.Of(Home) is { Count: > 0 } left;)
        {
            if (watch.Elapsed > Patience) throw new TimeoutException($"{left.Count} processes of {Home} are left");
            foreach (var one in left) Belongings.Kill(one.Pid);
            Thread.Sleep(TimeSpan.FromMilliseconds(5));
        }

        _started?.WaitForExit();
        _started?.Dispose();
        Said.Dispose();
        _home.Dispose();
    }

    /// <summary>The command line that starts it in the foreground, or by which it goes into the background.</summary>
    protected abstract IReadOnlyList<string> Command { get; }

    /// <summary>Writes what <see cref="Command"/> reads.</summary>
    protected abstract void Configure(Work work);

    protected abstract IReadOnlyList<string> StopCommand(int number);

    protected IEnumerable<(string Label, string Argument, int Number)> All(Work work) =>
        Enumerable.Range(0, Services).Select(number => (Label(number), Child.Argument(work, number), number));

    protected string At(params string[] parts) => Path.Combine([Home, .. parts]);

    protected string Read(string name) => File.Exists(At(name)) ? File.ReadAllText(At(name)) : "";

    /// <summary>Writes an executable script into a folder of the supervisor's.</summary>
    protected void Script(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllText(At(path), text);
        File.SetUnixFileMode(At(path), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Runs a command of the supervisor's to its end and answers what it printed, whatever its exit code.</summary>
    protected string Tell(IReadOnlyList<string> command)
    {
        using var process = Launch(command, "answer");
        process.WaitForExit();
        return Read("answer");
    }

    // By way of a shell that becomes it, so that its output is in a file and waits for nobody.
    private Process Launch(IReadOnlyList<string> command, string output = "output")
    {
        var start = new ProcessStartInfo("/bin/sh") { WorkingDirectory = Home };
        foreach (var word in (string[])["-c", $"exec \"$@\" </dev/null >{At(output)} 2>&1", "sh", .. command])
        {
            start.ArgumentList.Add(word);
        }

        start.Environment["AGENT_BENCH_HOME"] = Home;
        start.Environment["PM2_HOME"] = At("pm2");
        return Process.Start(start)!;
    }
}
