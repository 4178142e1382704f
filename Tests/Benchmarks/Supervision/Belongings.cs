using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Agent.Shell.Linux;

namespace Agent.Benchmarks.Supervision;

/// <summary>One process that belongs to a folder, and the number of the service that it is; null for the supervisor's own.</summary>
internal readonly record struct Belonging(int Pid, int? Service);

/// <summary>The processes whose command line or environment names a folder, which nobody else knows of.</summary>
internal static class Belongings
{
    public static IReadOnlyList<Belonging> Of(string folder)
    {
        var child = Path.Combine(folder, Child.FileName);
        var found = new List<Belonging>();
        foreach (var name in Directory.EnumerateDirectories("/proc").Select(Path.GetFileName))
        {
            if (!int.TryParse(name, CultureInfo.InvariantCulture, out var pid)) continue;
            var words = Read($"/proc/{name}/cmdline").Split('\0');
            if (words[0] == child && words.Length > 1)
            {
                found.Add(new(pid, int.Parse(words[1].AsSpan().TrimStart("dgsw"), CultureInfo.InvariantCulture)));
            }
            else if (words.Any(word => word.Contains(folder, StringComparison.Ordinal))
                || Read($"/proc/{name}/environ").Contains(folder, StringComparison.Ordinal))
            {
                found.Add(new(pid, null));
            }
        }

        return found;
    }

    public static double PssMebibytes(IEnumerable<int> pids) => pids.Sum(pid => Read($"/proc/{pid}/smaps_rollup").Split('\n')
        .Where(line => line.StartsWith("Pss:", StringComparison.Ordinal))
        .Sum(line => double.Parse(line[4..^2], CultureInfo.InvariantCulture))) / 1024;

    /// <summary>Seconds in user and system mode, to the hundredth.</summary>
    public static double CpuSeconds(IEnumerable<int> pids) => pids.Sum(pid =>
    {
        var stat = Read($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ');
        return fields.Length < 14 ? 0 : fields[12..14].Sum(field => long.Parse(field, CultureInfo.InvariantCulture)) / 100.0;
    });

    /// <summary>False if there is no such process any more.</summary>
    public static bool Kill(int pid)
    {
        const int KillSignal = 9;
        var handle = Processes.Open(pid);
        if (handle < 0) return false;
        var done = Processes.Signal(handle, KillSignal);
        Descriptors.Close(handle);
        return done;
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
