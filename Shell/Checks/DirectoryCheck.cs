using System;
using System.IO;
using System.Linq;
using Agent.Shell.Config;
using Agent.Shell.Linux;

namespace Agent.Shell.Checks;

/// <summary>
/// Whether a directory of the agent's takes writes and syncs, tried with a file of its own. What it makes for that it
/// takes away again, so a check leaves a host as it was.
/// </summary>
internal static class DirectoryCheck
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>To pass through is not among them: services of any user pass to their releases.</summary>
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private const long EnoughDisk = 2L << 30;

    private static readonly string[] GoneAtBoot = ["tmpfs", "ramfs"];

    public static Finding State(string path)
    {
        var found = Try("state dir", path);
        if (found.Verdict != "ok") return found;
        if (GoneAtBoot.Contains(FileSystem(path), StringComparer.Ordinal))
        {
            return Finding.Warn("state dir", found.Detail, "this is memory, a reboot forgets the journal; name one on a disk");
        }

        return Directory.Exists(path) && (File.GetUnixFileMode(path) & Others) != 0
            ? Finding.Warn("state dir", $"{path} is open to others", $"chmod 711 {path}")
            : found;
    }

    public static Finding Runtime(string path) => Try("runtime dir", path);

    public static Finding Disk(string path)
    {
        var free = new DriveInfo(Existing(path)).AvailableFreeSpace;
        return free >= EnoughDisk
            ? Finding.Ok("disk", $"{Sizes.Show(free)} free")
            : Finding.Warn("disk", $"{Sizes.Show(free)} free", $"journal, logs and images want {Sizes.Show(EnoughDisk)}");
    }

    private static Finding Try(string subject, string path)
    {
        var existing = Existing(path);
        try
        {
            Directory.CreateDirectory(path, Private);
            WriteAndSync(Path.Combine(path, $".check-{Environment.ProcessId}"));
            return Finding.Ok(subject, $"{path} ({FileSystem(path)}) takes writes and syncs them");
        }
        catch (Exception failure) when (failure is FileFailure or IOException or UnauthorizedAccessException)
        {
            return Finding.Fail(subject, failure.Message, "name another directory, or make this one writable for the agent");
        }
        finally
        {
            RemoveDownTo(existing, path);
        }
    }

    private static void WriteAndSync(string file)
    {
        var fd = Files.CreateNew(file);
        try
        {
            Files.Write(fd, file, "x"u8, 0);
            Files.SyncData(fd, file);
        }
        finally
        {
            Files.Close(fd);
            File.Delete(file);
        }
    }

    private static string FileSystem(string path) => new DriveInfo(Existing(path)).DriveFormat;

    private static string Existing(string path)
    {
        var existing = Path.GetFullPath(path);
        while (!Directory.Exists(existing)) existing = Path.GetDirectoryName(existing)!;
        return existing;
    }

    private static void RemoveDownTo(string existing, string path)
    {
        try
        {
            for (var at = Path.GetFullPath(path); at != existing; at = Path.GetDirectoryName(at)!)
            {
                if (Directory.Exists(at)) Directory.Delete(at);
            }
        }
        catch (IOException)
        {
            // Somebody put something into it meanwhile, an agent that starts for instance: it is theirs.
        }
    }
}
