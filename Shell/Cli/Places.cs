using System;
using System.Text;
using Agent.Shell.Loop;

namespace Agent.Shell.Cli;

/// <summary>Where things are: the flag first, then AGENT_*, then the default.</summary>
internal static class Places
{
    public static string Socket(string? flag) =>
        Named(flag, "AGENT_SOCKET") ?? AgentPaths.DefaultSocket(RuntimeDir(null));

    public static string StateDir(string? flag) => Named(flag, "AGENT_STATE_DIR") ?? AgentPaths.DefaultStateDir;

    public static string RuntimeDir(string? flag) => Named(flag, "AGENT_RUNTIME_DIR") ?? AgentPaths.DefaultRuntimeDir;

    /// <summary>The configuration file, and whether nobody named one.</summary>
    public static (string Path, bool IsDefault) Config(string? flag) =>
        Named(flag, "AGENT_CONFIG") is { } named ? (named, false) : (AgentPaths.DefaultConfig, true);

    /// <summary>A socket's path, which the kernel's address has little room for.</summary>
    public static string Fitting(string socket)
    {
        const int MostBytes = 107;
        return Encoding.UTF8.GetByteCount(socket) <= MostBytes
            ? socket
            : throw new CommandFailure(ExitCodes.Usage, $"the socket {socket} has a path longer than {MostBytes} bytes");
    }

    /// <summary>What was given for it; null if nothing was.</summary>
    public static string? Named(string? flag, string variable) =>
        !string.IsNullOrEmpty(flag) ? flag
        : Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value
        : null;
}
