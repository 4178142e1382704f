using System;
using System.IO;
using System.Text;
using Agent.Shell.Linux;

namespace Agent.Shell.Uplink;

/// <summary>Which plane this host was enrolled with, in a file of its own beside the identity.</summary>
internal static class PlaneAddress
{
    public static Uri? Read(string path) =>
        File.Exists(path) && Uri.TryCreate(File.ReadAllText(path).Trim(), UriKind.Absolute, out var plane) ? plane : null;

    /// <summary>Whole and durable, or as it was.</summary>
    public static void Write(string path, Uri plane)
    {
        var next = path + ".new";
        var fd = Files.Open(next, create: true, truncate: true);
        try
        {
            Files.Write(fd, next, Encoding.UTF8.GetBytes(plane + "\n"), 0);
            Files.SyncData(fd, next);
        }
        finally
        {
            Files.Close(fd);
        }

        Files.Rename(next, path);
        Files.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }
}
