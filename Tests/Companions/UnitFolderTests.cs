using System;
using System.IO;
using System.Text;
using Agent.Core.Companion;
using Agent.Core.Model;
using Agent.Shell.Companions;
using Xunit;

namespace Agent.Tests.Companions;

/// <summary>Whose a unit file is, and what is done to one that is not ours: nothing.</summary>
public sealed class UnitFolderTests : IDisposable
{
    private static readonly CompanionName Cache = Named("cache.service");

    private readonly string _path = Directory.CreateTempSubdirectory("agent-units.").FullName;
    private readonly UnitFolder _folder;

    public UnitFolderTests() => _folder = new UnitFolder(_path, "00ff", new byte[32]);

    private string File => Path.Combine(_path, "cache.service");

    public void Dispose() => Directory.Delete(_path, recursive: true);

    /// CT-10: what was written is known again by its bytes, and everybody may read it. Upstream: idempotent write
    /// (quadlet).
    [Fact]
    public void What_was_written_is_ours()
    {
        var bytes = _folder.BytesOf(new(Cache, "[Service]\nExecStart=/bin/true", Start: true, Restart: true, []));
        Assert.IsType<UnitFile.Absent>(_folder.Read(Cache));
        _folder.Write(Cache, bytes);
        Assert.Equal(new UnitFile.Ours(_folder.DigestOf(bytes)), _folder.Read(Cache));
        Assert.EndsWith("\nExecStart=/bin/true\n", System.IO.File.ReadAllText(File), StringComparison.Ordinal);
        Assert.Equal("0644", Convert.ToString((int)System.IO.File.GetUnixFileMode(File), 8).PadLeft(4, '0'));
        Assert.Equal([File], Directory.GetFiles(_path));
        System.IO.File.AppendAllText(File, "Nice=5\n");
        Assert.NotEqual(new UnitFile.Ours(_folder.DigestOf(bytes)), Assert.IsType<UnitFile.Ours>(_folder.Read(Cache)));
        _folder.Delete(Cache);
        Assert.IsType<UnitFile.Absent>(_folder.Read(Cache));
        _folder.Delete(Cache);
    }

    /// CT-3, CT-10: a file without this agent's mark, another agent's among them, is neither written nor deleted.
    /// Upstream: plist identity (veloslet).
    [Theory]
    [InlineData("[Service]\nExecStart=/bin/false\n")]
    [InlineData("")]
    [InlineData("# Companion of agent 00fe: it writes this file, and undoes what others change in it.\n[Service]\n")]
    [InlineData("\n# Companion of agent 00ff: it writes this file, and undoes what others change in it.\n")]
    public void What_does_not_bear_the_mark_is_left(string text)
    {
        System.IO.File.WriteAllText(File, text);
        Assert.IsType<UnitFile.Foreign>(_folder.Read(Cache));
        Assert.Throws<IOException>(() => _folder.Write(Cache, Encoding.UTF8.GetBytes("x")));
        _folder.Delete(Cache);
        Assert.Equal(text, System.IO.File.ReadAllText(File));
    }

    /// CT-10: neither is a link, by which systemd knows a unit as masked, nor what it leads to.
    [Fact]
    public void A_link_is_left()
    {
        System.IO.File.CreateSymbolicLink(File, "/dev/null");
        Assert.IsType<UnitFile.Foreign>(_folder.Read(Cache));
        Assert.Throws<IOException>(() => _folder.Write(Cache, Encoding.UTF8.GetBytes("x")));
        _folder.Delete(Cache);
        Assert.Equal("/dev/null", new FileInfo(File).LinkTarget);
    }

    /// CT-10: where the folder was another before, systemd may still go by the file there. It is ours, stands until it is
    /// written anew, and then goes; a stranger's there is a stranger's.
    [Fact]
    public void A_file_in_the_folder_before_is_ours_and_moves()
    {
        var next = Directory.CreateDirectory(Path.Combine(_path, "next")).FullName;
        var moved = new UnitFolder(next, "00ff", new byte[32], _path, next);
        var bytes = _folder.BytesOf(new(Cache, "[Service]\nExecStart=/bin/true", Start: true, Restart: true, []));
        _folder.Write(Cache, bytes);
        Assert.Equal(File, moved.PathOf(Cache, File));
        Assert.Equal(moved.PathOf(Cache), moved.PathOf(Cache, "/lib/systemd/system/cache.service"));
        Assert.True(moved.Has(Cache));
        moved.Write(Cache, bytes);
        Assert.False(System.IO.File.Exists(File));
        Assert.Equal(new UnitFile.Ours(moved.DigestOf(bytes)), moved.Read(Cache));

        System.IO.File.WriteAllText(File, "[Service]\n");
        Assert.Equal(moved.PathOf(Cache), moved.PathOf(Cache, File));
        moved.Delete(Cache);
        Assert.False(moved.Has(Cache));
        Assert.True(System.IO.File.Exists(File));
    }

    private static CompanionName Named(string text) => CompanionName.Parse(text).IfNoneUnsafe(() => null!)!;
}
