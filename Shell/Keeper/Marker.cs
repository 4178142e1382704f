using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using Agent.Shell.Linux;

namespace Agent.Shell.Keeper;

/// <summary>
/// Environment variables that every child and all it starts inherit: whose it is, and which spawn. They find descendants
/// that fled into sessions of their own, and a child whose spawn was never written down. Any process may write anything
/// into its environment, and so what is done upon the mark alone is what its bearer may have: to be killed. To be taken for
/// a child takes its ticket's proof, which none but the child's own user can read.
/// </summary>
internal sealed class Marker(KeeperPaths paths)
{
    private const string Runtime = "AGENT_RUNTIME=";
    private const string Process = "AGENT_PROCESS=";
    private const string Proof = "AGENT_PROOF=";

    private readonly byte[] _runtime = Encoding.UTF8.GetBytes($"{Runtime}{paths.RuntimeDir}\0");

    // A process can say of any part of its memory that it is its environment. What execve takes is all that is looked at:
    // a quarter of the usual stack.
    private readonly byte[] _environment = new byte[2 << 20];

    public IEnumerable<string> For(string key, Ticket ticket) => [Runtime + paths.RuntimeDir, Process + key, Proof + ticket.Proof];

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

    /// <summary>All living processes that a keeper of this directory has started, and what those started.</summary>
    public IEnumerable<(int Pid, string Key)> Proven()
    {
        foreach (var pid in Processes.All())
        {
            var variables = Read(pid);
            if (Key(variables) is not { } key || Value(variables, Proof) is not { } proof) continue;
            if (Ticket.Read(paths.Ticket(key))?.Proof == proof) yield return (pid, key);
        }
    }

    /// <summary>The key that a living process bears; none if it bears none of this runtime directory.</summary>
    public string? KeyOf(int pid) => Key(Read(pid));

    private static string? Key(string[] variables) =>
        Value(variables, Process) is { } key && SpawnPlanner.IsKey(key) ? key : null;

    private static string? Value(string[] variables, string name) =>
        Array.Find(variables, one => one.StartsWith(name, StringComparison.Ordinal))?[name.Length..];

    /// <summary>What it bears, if this runtime directory is its.</summary>
    private string[] Read(int pid)
    {
        try
        {
            using var file = File.OpenHandle(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/environ"), options: FileOptions.None);
            var length = 0;
            while (RandomAccess.Read(file, _environment.AsSpan(length), length) is > 0 and var got) length += got;
            var environment = _environment.AsSpan(0, length);
            return environment.IndexOf(_runtime) < 0 ? [] : Encoding.UTF8.GetString(environment).Split('\0');
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // It ended while we looked, or is none of ours.
            return [];
        }
    }
}
