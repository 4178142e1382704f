using System;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;
using Agent.Shell.Linux;
using Agent.Tests.EndToEnd;
using Xunit;

namespace Agent.Tests.Support;

/// <summary>An ext4 of a test's own, in a file, whose power can be cut.</summary>
internal sealed partial class PowerDisk
{
    private const nuint Shutdown = 0x8004587D;
    private const int WithoutFlushingTheLog = 2;

    private readonly string _at;
    private string _image;
    private int _boots;

    private PowerDisk(string image, string at) => (_image, _at) = (image, at);

    /// <summary>Makes it and mounts it; skips the test where that is not possible.</summary>
    public static PowerDisk Mount(string image, string at, long bytes)
    {
        using (var file = File.Create(image)) file.SetLength(bytes);
        Skip.IfNot(
            Mounts.Run("mkfs.ext4", "-q", "-m0", "-F", image) && Mounts.Run("mount", "-o", "loop", image, at),
            "needs root, mkfs.ext4 and loop mounts");
        return new(image, at);
    }

    /// <summary>From this moment on nothing reaches the disk, and what was not synced will not be there.</summary>
    public void Cut()
    {
        var fd = Descriptors.Open(_at, Descriptors.ReadOnly);
        var how = WithoutFlushingTheLog;
        Assert.Equal(0, ioctl(fd, Shutdown, ref how));
        Descriptors.Close(fd);
    }

    /// <summary>
    /// The disk as it is found when the power is back: a copy of it, because whoever runs in a mount namespace of its
    /// own may hold the dead file system, and mounting the same image would hand out that one again.
    /// </summary>
    public void PowerOn()
    {
        Assert.True(Mounts.Run("umount", _at), $"{_at} is busy");
        var next = string.Create(CultureInfo.InvariantCulture, $"{_image}.{++_boots}");
        Assert.True(Mounts.Run("cp", "--sparse=always", _image, next));
        File.Delete(_image);
        _image = next;
        Assert.True(Mounts.Run("mount", "-o", "loop", _image, _at));
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(int fd, nuint request, ref int value);
}
