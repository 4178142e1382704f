using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Agent.Shell.Docker;

/// <summary>Where the engine's programs are looked for: the operator's directories, PATH, the usual ones.</summary>
internal sealed record EngineBinaries(IReadOnlyList<string> Directories)
{
    public const string Containerd = "containerd";
    public const string Dockerd = "dockerd";
    public const string Shim = "containerd-shim-runc-v2";
    public const string Runc = "runc";
    public const string Proxy = "docker-proxy";

    /// <summary>A service manager's PATH may lack the directories of system programs.</summary>
    private static readonly string[] Usual =
        ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    private const UnixFileMode AnyExecute =
        UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>The same directories for the daemons, which look for their helpers themselves.</summary>
    public string PathVariable => string.Join(':', Directories);

    public static EngineBinaries Along(IReadOnlyList<string> searchPath)
    {
        var inherited = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        return new([.. searchPath.Concat(inherited).Concat(Usual).Where(Path.IsPathRooted).Distinct()]);
    }

    /// <summary>The full path of an executable file of that name, or null.</summary>
    public string? Find(string name) =>
        Directories.Select(directory => Path.Combine(directory, name)).FirstOrDefault(IsExecutable);

    /// <summary>Names everything that is missing and how to get it; null when nothing is.</summary>
    public string? DescribeMissing(params ReadOnlySpan<string> names)
    {
        var missing = new List<string>();
        foreach (var name in names)
        {
            if (Find(name) is null) missing.Add(name);
        }

        return missing.Count == 0
            ? null
            : $"not found: {string.Join(", ", missing)}; looked in {PathVariable}. Install them (Debian, Ubuntu: "
                + "apt-get install containerd docker.io) or name their directory in runtime.searchPath";
    }

    private static bool IsExecutable(string path)
    {
        try
        {
            return File.Exists(path) && (File.GetUnixFileMode(path) & AnyExecute) != 0;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
