using System;
using System.Globalization;
using System.IO;
using System.Text;
using Agent.Shell.Linux;

namespace Agent.Shell.Journal;

/// <summary>
/// One agent per state directory: the kernel's lock on a file that names its holder, gone with its holder.
/// </summary>
internal sealed class StateLock : IDisposable
{
    private readonly int _fd;

    private StateLock(int fd) => _fd = fd;

    /// <summary>The lock, or the pid of the agent that has it.</summary>
    public static (StateLock? Lock, string Holder) TryTake(string stateDir)
    {
        var path = Path.Combine(stateDir, "lock");
        var fd = Files.Open(path, create: true);
        if (!Files.TryLock(fd, path))
        {
            Files.Close(fd);
            return (null, File.ReadAllText(path).Trim());
        }

        Files.Resize(fd, path, 0);
        Files.Write(fd, path, Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"), 0);
        return (new(fd), "");
    }

    public void Dispose() => Files.Close(_fd);
}
