using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using Agent.Shell.Loop;

namespace Agent.Shell.Docker;

/// <summary>Where the engine's files lie, what they say, and how its daemons are called.</summary>
internal sealed record EngineLayout(AgentPaths Paths, RuntimeSettings Settings, EngineBinaries Binaries)
{
    /// <summary>sun_path holds 108 bytes, the last of them a NUL.</summary>
    private const int MaxSocketPathBytes = 107;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>No CRI plugin: it opens a TCP port and wants CNI, and nobody here speaks to it.</summary>
    private const string ContainerdToml = "version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n";

    /// <summary>A container's log is rotated: by itself the engine keeps every line that was ever printed.</summary>
    private const string DaemonJson =
        """{ "log-driver": "json-file", "log-opts": { "max-size": "10m", "max-file": "5" } }""" + "\n";

    private const string EndpointScheme = "unix://";

    public string Endpoint => EndpointScheme + Settings.Socket;

    public string ContainerdSocket =>
        Settings.ContainerdSocket ?? Path.Combine(ContainerdDirectory, "containerd.sock");

    public string PidFile => Path.Combine(DockerDirectory, "dockerd.pid");

    private string ContainerdDirectory => Path.Combine(Paths.RuntimeDir, "containerd");

    private string ContainerdConfig => Path.Combine(ContainerdDirectory, "config.toml");

    /// <summary>Beside the engine's own data: images may lie here, so it belongs on the same disk.</summary>
    private string ContainerdRoot => Path.Combine(Settings.DataRoot, "containerd");

    private string DockerDirectory => Path.Combine(Paths.RuntimeDir, "docker");

    private string DaemonConfig => Path.Combine(DockerDirectory, "daemon.json");

    private string ExecRoot => Path.Combine(DockerDirectory, "exec");

    public static EngineLayout Of(AgentPaths paths, RuntimeSettings settings) =>
        new(paths, settings, EngineBinaries.Along(settings.SearchPath));

    /// <summary>The socket's path in an endpoint as <see cref="Endpoint"/> spells it.</summary>
    public static string SocketOf(string endpoint) =>
        endpoint.StartsWith(EndpointScheme, StringComparison.Ordinal) ? endpoint[EndpointScheme.Length..] : endpoint;

    /// <summary>Paths are flags, so that the process list tells whose daemon this is.</summary>
    public IReadOnlyList<string> ContainerdCommand(string binary) =>
    [
        binary,
        "--config", ContainerdConfig,
        "--address", ContainerdSocket,
        "--root", ContainerdRoot,
        "--state", Path.Combine(ContainerdDirectory, "state"),
    ];

    /// <summary>
    /// An own configuration file, because the system's may set what the flags set, which dockerd refuses. Containers
    /// outlive the engine (live-restore), so that it can be restarted under them.
    /// </summary>
    public IReadOnlyList<string> DockerdCommand(string binary, bool hasProxy) =>
    [
        binary,
        "--config-file", DaemonConfig,
        "--host", Endpoint,
        "--containerd", ContainerdSocket,
        "--data-root", Settings.DataRoot,
        "--exec-root", ExecRoot,
        "--pidfile", PidFile,
        "--live-restore",
        .. hasProxy ? Array.Empty<string>() : ["--userland-proxy=false"],
    ];

    /// <summary>Makes the directories and writes the configuration files. Throws IOException and its like.</summary>
    public void Prepare()
    {
        foreach (var directory in (string[])[ContainerdDirectory, DockerDirectory, Settings.DataRoot, ContainerdRoot])
        {
            Directory.CreateDirectory(directory, OwnerOnly);
        }

        Directory.CreateDirectory(Path.GetDirectoryName(Settings.Socket)!);
        Directory.CreateDirectory(Path.GetDirectoryName(ContainerdSocket)!);
        WriteIfDifferent(ContainerdConfig, ContainerdToml);
        WriteIfDifferent(DaemonConfig, DaemonJson);
    }

    /// <summary>Why the daemons could not listen here at all, or null.</summary>
    public string? DescribeBadPath()
    {
        // containerd and dockerd derive further sockets from what they are told; these are the longest.
        string[] sockets =
            [Settings.Socket, ContainerdSocket + ".ttrpc", Path.Combine(ExecRoot, "libnetwork", "0123456789ab.sock")];
        foreach (var path in sockets)
        {
            if (!Path.IsPathRooted(path)) return $"{path} is not an absolute path";
            var length = Encoding.UTF8.GetByteCount(path);
            if (length > MaxSocketPathBytes)
            {
                return $"the socket path {path} has {length} bytes and Linux takes {MaxSocketPathBytes}; "
                    + "choose a shorter runtime directory";
            }
        }

        return null;
    }

    /// <summary>
    /// dockerd refuses to start while the pid in its pid file lives, whoever has that pid by then. The file goes,
    /// unless it names a dockerd that was called with it: then this is the reason not to start another.
    /// </summary>
    public string? ClearPidFile()
    {
        if (!File.Exists(PidFile)) return null;
        if (int.TryParse(File.ReadAllText(PidFile), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
            && WasCalledWithPidFile(pid))
        {
            return $"a dockerd that this agent does not know (pid {pid}) holds {PidFile} and does not answer; stop it";
        }

        File.Delete(PidFile);
        return null;
    }

    private static void WriteIfDifferent(string path, string text)
    {
        if (File.Exists(path) && File.ReadAllText(path) == text) return;
        var written = path + ".new";
        File.WriteAllText(written, text);
        File.Move(written, path, overwrite: true);
    }

    private bool WasCalledWithPidFile(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Split('\0').AsSpan().Contains(PidFile);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
