using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Text.RegularExpressions;
using System.Threading.Tasks;

namespace Agent.Benchmarks;

/// <summary>A running plane in a folder of its own, with an authority that this process may issue by.</summary>
internal sealed partial class PlaneProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TempFolder _home = new();
    private readonly Process _process;

    public PlaneProcess(Build build)
    {
        Programs.Run(build.Path, "plane", "init", "--state-dir", StateDir, "--name", "127.0.0.1");
        Programs.Run(build.Path, "trust", "init", Path.Combine(_home.Path, "trust"));
        File.Copy(Path.Combine(_home.Path, "trust", "trust.json"), Path.Combine(StateDir, "trust.json"));
        var start = new ProcessStartInfo(build.Path) { RedirectStandardError = true };
        foreach (var word in (string[])["plane", "run", "--state-dir", StateDir, "--listen", "127.0.0.1:0", "--log", "human"])
        {
            start.ArgumentList.Add(word);
        }

        var address = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is { } text && Address_().Match(text) is { Success: true } found) address.TrySetResult(new Uri(found.Value));
        };
        _process.BeginErrorReadLine();
        Address = address.Task.WaitAsync(Patience).GetAwaiter().GetResult();
    }

    public string StateDir => Path.Combine(_home.Path, "plane");

    public Uri Address { get; }

    public double CpuSeconds
    {
        get
        {
            var stat = File.ReadAllText($"/proc/{_process.Id}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0;
        }
    }

    public double ResidentMebibytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64 / 1048576.0;
        }
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _home.Dispose();
    }

    [GeneratedRegex("https://[0-9.:]+")]
    private static partial Regex Address_();
}
