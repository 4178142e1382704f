using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using Agent.Shell.Linux;

namespace Agent.Shell.Keeper;

/// <summary>
/// Two environment variables that every child and all it starts inherit: whose it is, and which spawn. They find a
/// child whose spawn was never written down, and descendants that fled into sessions of their own.
/// </summary>
internal sealed class Marker(string runtimeDir)
{
    private const string Runtime = "AGENT_RUNTIME=";
    private const string Process = "AGENT_PROCESS=";

    private readonly byte[] _runtime = Encoding.UTF8.GetBytes($"{Runtime}{runtimeDir}\0");

    public IEnumerable<string> For(string key) => [Runtime + runtimeDir, Process + key];

    /// <summary>All living processes that bear this runtime directory's mark, with their keys.</summary>
    public IEnumerable<(int Pid, string Key)> Marked() => Marked(Processes.All());

    /// <summary>Those of them that bear it.</summary>
    public IEnumerable<(int Pid, string Key)> Marked(IEnumerable<int> pids)
    {
        foreach (var pid in pids)
        {
            if (KeyOf(pid) is { } key) yield return (pid, key);
        }
    }

    private string? KeyOf(int pid)
    {
        byte[] environment;
        try
        {
            environment = File.ReadAllBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/environ"));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // It ended while we looked, or is none of ours.
            return null;
        }

        if (environment.AsSpan().IndexOf(_runtime) < 0) return null;
        foreach (var variable in Encoding.UTF8.GetString(environment).Split('\0'))
        {
            if (variable.StartsWith(Process, StringComparison.Ordinal)) return variable[Process.Length..];
        }

        return null;
    }
}
