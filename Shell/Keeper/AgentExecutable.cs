using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using Agent.Shell.Boot;

namespace Agent.Shell.Keeper;

/// <summary>How this program starts itself again, whichever way it was started.</summary>
internal static class AgentExecutable
{
    /// <summary>This program's file, even where another lies at its path by now.</summary>
    public const string Self = "/proc/self/exe";

    private const string Replaced = " (deleted)";

    /// <summary>The program and, where that is the dotnet host, the assembly to run.</summary>
    public static IReadOnlyList<string> Command { get; } = Find();

    /// <summary>This very program, as a keeper tells of itself.</summary>
    public static KeeperAbout About { get; } = new(ProductVersion.Text, Command[^1]);

    /// <summary>
    /// What the keeper inherits: the .NET runtime's own settings and no more, with the debugger's sockets off and a
    /// heap that suits a program that mostly sleeps.
    /// </summary>
    public static IReadOnlyList<string> Environment
    {
        get
        {
            var variables = new List<string>
            {
                "LANG=C.UTF-8", "DOTNET_EnableDiagnostics=0", "DOTNET_TieredPGO=0", "DOTNET_gcConcurrent=0",
                "DOTNET_GCConserveMemory=9",
            };
            foreach (DictionaryEntry variable in System.Environment.GetEnvironmentVariables())
            {
                if (variable.Key is "DOTNET_ROOT" or "PATH" or "HOME") variables.Add($"{variable.Key}={variable.Value}");
            }

            return variables;
        }
    }

    /// <summary>
    /// Puts this program's file back to its path where another took it, so that whoever starts what lies there starts what
    /// runs. Of use for a build that is one file; others are upgraded from directory to directory.
    /// </summary>
    public static void PutBack()
    {
        if (new FileInfo(Self).LinkTarget?.EndsWith(Replaced, StringComparison.Ordinal) is not true) return;
        var unfinished = Command[0] + ".previous";
        File.Copy(Self, unfinished, overwrite: true);
        File.SetUnixFileMode(unfinished, File.GetUnixFileMode(Command[0]));
        File.Move(unfinished, Command[0], overwrite: true);
    }

    private static IReadOnlyList<string> Find()
    {
        // Where another file took the path, as an update of packages does, the kernel's link says so behind it.
        var host = System.Environment.ProcessPath ?? Self;
        if (host.EndsWith(Replaced, StringComparison.Ordinal)) host = host[..^Replaced.Length];
        return Path.GetFileName(host) == "dotnet"
            ? [host, Path.Combine(AppContext.BaseDirectory, "agent.dll")]
            : [host];
    }
}
