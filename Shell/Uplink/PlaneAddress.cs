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

    public static void Write(string path, Uri plane) => Files.Replace(path, Encoding.UTF8.GetBytes(plane + "\n"));
}
