using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Agent.Shell.Activators.Releases;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Activators;

/// <summary>Which release is in use, whether it is sound, and which ones may go.</summary>
public sealed class ReleaseChannelTests
{
    private static readonly HashSet<string> Nothing = [];

    /// RO-4, RO-11: the link is the truth about what is in use, and one step takes it from one release to the other.
    [Fact]
    public async Task A_channel_is_at_the_release_it_was_switched_to()
    {
        using var world = new StoreWorld();
        var (one, two) = (await world.ImportAsync(("a", "1")), await world.ImportAsync(("a", "2")));
        Assert.Null(world.Store.Current("main"));
        world.Store.Switch("main", one.Sha256);
        Assert.Equal(one.Sha256, world.Store.Current("main"));
        world.Store.Switch("main", two.Sha256);
        world.Store.Switch("main", two.Sha256);
        world.Store.Switch("edge", one.Sha256);
        Assert.Equal(two.Sha256, world.Store.Current("main"));
        Assert.Equal(one.Sha256, world.Store.Current("edge"));
        Assert.Equal("2", await File.ReadAllTextAsync(Path.Combine(world.Store.PathOfCurrent("main"), "a")));
        Assert.Equal("../../store/" + two.Sha256, new FileInfo(world.Store.PathOfCurrent("main")).LinkTarget);
        world.Store.Clear("main");
        world.Store.Clear("main");
        world.Store.Clear("never");
        Assert.Null(world.Store.Current("main"));
        Assert.Equal(["current"], Names(Path.Combine(world.Root, "channels", "edge")));
        Assert.Empty(Names(Path.Combine(world.Root, "channels", "main")));
    }

    /// RO-11: no switch to what is not there, and no channel that is a path.
    [Fact]
    public void A_switch_to_nothing_is_refused()
    {
        using var world = new StoreWorld();
        Assert.Equal("release-missing", Code(() => world.Store.Switch("main", new string('0', 64))));
        Assert.Equal("release-hash", Code(() => world.Store.Switch("main", "../../etc")));
        foreach (var name in (string[])["", ".", "..", "../x", "a/b", "-x", ".x", "a\n", new string('x', 65)])
        {
            Assert.Equal("release-channel", Code(() => world.Store.Current(name)));
            Assert.Equal("release-channel", Code(() => world.Store.Clear(name)));
        }
    }

    /// RO-11, upstream wrap_with_injections_rejects_unsafe_paths: a link that somebody else made is a problem, not an
    /// answer.
    [Theory]
    [InlineData("/etc")]
    [InlineData("../../store/short")]
    [InlineData("../../../store/0000000000000000000000000000000000000000000000000000000000000000")]
    public async Task A_link_that_leads_elsewhere_is_refused(string target)
    {
        using var world = new StoreWorld();
        var release = await world.ImportAsync(("a", "1"));
        world.Store.Switch("main", release.Sha256);
        File.Delete(world.Store.PathOfCurrent("main"));
        File.CreateSymbolicLink(world.Store.PathOfCurrent("main"), target);
        Assert.Equal("release-channel", Code(() => world.Store.Current("main")));
        Assert.Empty(world.Store.Collect(0, new HashSet<string> { release.Sha256 }));
        Assert.Null(world.Store.Verify(release.Sha256));
        world.Store.Switch("main", release.Sha256);
        Assert.Equal(release.Sha256, world.Store.Current("main"));
    }

    /// RO-11, upstream write_and_verify_detects_mismatch: every way in which a tree can differ from its index is found.
    [Theory]
    [InlineData("changed", "d/f")]
    [InlineData("longer", "d/f")]
    [InlineData("gone", "d/f")]
    [InlineData("mode", "d/f")]
    [InlineData("directory mode", "d")]
    [InlineData("link", "l")]
    [InlineData("file to link", "d/f")]
    [InlineData("directory to link", "d")]
    [InlineData("index cut", "index")]
    [InlineData("index changed", "index")]
    [InlineData("index gone", "no index")]
    [InlineData("index is a link", "no index")]
    [InlineData("tree gone", "not in the store")]
    public async Task A_damaged_release_is_found_before_the_switch(string damage, string named)
    {
        using var world = new StoreWorld();
        var release = TestRelease.Of(world.Archives, new TarBytes().Add("d/f", "text").Link("l", "d").ToGzip());
        await world.ImportAsync(release);
        Assert.Null(world.Store.Verify(release.Sha256));
        Damage(world.Store.PathOf(release.Sha256), damage);
        Assert.Contains(named, world.Store.Verify(release.Sha256), StringComparison.Ordinal);
    }

    /// RO-11: what a service or a hook left in a release's tree is told, and keeps nobody from the release.
    [Fact]
    public async Task A_stranger_in_a_release_is_told_and_blocks_nothing()
    {
        using var world = new StoreWorld();
        var release = TestRelease.Of(world.Archives, new TarBytes().Add("d/f", "text").Link("l", "d").ToGzip());
        await world.ImportAsync(release);
        Assert.Null(world.Store.Stranger(release.Sha256));
        Damage(world.Store.PathOf(release.Sha256), "added");
        Assert.Null(world.Store.Verify(release.Sha256));
        Assert.Contains("d/new", world.Store.Stranger(release.Sha256), StringComparison.Ordinal);
    }

    /// RO-11: a service of another user runs its release; nobody else lists the store or sees what is being imported.
    [Fact]
    public async Task The_way_to_a_release_is_passable()
    {
        using var world = new StoreWorld();
        var release = await world.ImportAsync(("a", "1"));
        world.Store.Switch("main", release.Sha256);
        const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        foreach (var open in (string[])["", "store", "channels", "channels/main"])
        {
            Assert.Equal(
                Private | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute,
                File.GetUnixFileMode(Path.Combine(world.Root, open)));
        }

        Assert.Equal(Private, File.GetUnixFileMode(world.Staging));
    }

    /// RO-11: the newest stay, and what is in use or pinned, whatever its age.
    [Fact]
    public async Task What_is_old_and_unused_is_collected()
    {
        using var world = new StoreWorld();
        var releases = new List<string>();
        for (var n = 0; n < 6; n++)
        {
            releases.Add((await world.ImportAsync(("a", $"{n}"))).Sha256);
            File.SetLastWriteTimeUtc(Path.Combine(world.Root, "store", releases[n] + ".index"), DateTime.UnixEpoch.AddDays(n));
        }

        world.Store.Switch("main", releases[0]);
        Assert.Equal(releases.AsEnumerable().Reverse(), world.Store.List());
        Assert.Equal([releases[3], releases[2]], world.Store.Collect(2, new HashSet<string> { releases[1] }));
        Assert.Equal([releases[5], releases[4], releases[1], releases[0]], world.Store.List());
        Assert.Equal(8, Names(Path.Combine(world.Root, "store")).Length);
        Assert.Empty(Names(world.Staging));
        Assert.Empty(world.Store.Collect(6, Nothing));
        Assert.Equal([releases[5], releases[4], releases[1]], world.Store.Collect(0, Nothing));
        Assert.Null(world.Store.Verify(releases[0]));
    }

    /// RO-11: what a crash left goes at the next start; what is whole stays.
    [Fact]
    public async Task A_sweep_removes_what_a_crash_left()
    {
        using var world = new StoreWorld();
        var release = await world.ImportAsync(("a", "1"));
        world.Store.Switch("main", release.Sha256);
        var everything = world.Everything();
        Directory.CreateDirectory(Path.Combine(world.Staging, "half", "tree", "a"));
        await File.WriteAllTextAsync(Path.Combine(world.Staging, "half", "tree", "a", "f"), "half");
        File.CreateSymbolicLink(Path.Combine(world.Staging, "half", "tree", "l"), world.Archives);
        await File.WriteAllTextAsync(Path.Combine(world.Root, "store", new string('0', 64) + ".index"), "alone");
        File.CreateSymbolicLink(Path.Combine(world.Root, "channels", "main", "current.new"), "half");
        world.Store.Sweep();
        Assert.Equal(everything, world.Everything());
        Assert.NotEmpty(Names(world.Archives));
    }

    private static void Damage(string tree, string damage)
    {
        var (file, folder, link, index) = (Path.Combine(tree, "d/f"), Path.Combine(tree, "d"), Path.Combine(tree, "l"), tree + ".index");
        void Replace(string path, string target)
        {
            Directory.Move(path, path + ".old");
            File.CreateSymbolicLink(path, target);
        }

        switch (damage)
        {
            case "changed": File.WriteAllText(file, "test"); break;
            case "longer": File.AppendAllText(file, "!"); break;
            case "gone": File.Delete(file); break;
            case "mode": File.SetUnixFileMode(file, (UnixFileMode)0x1FF); break;
            case "directory mode": File.SetUnixFileMode(folder, (UnixFileMode)0x1FF); break;
            case "added": File.WriteAllText(Path.Combine(folder, "new"), ""); break;
            case "link": File.Delete(link); File.CreateSymbolicLink(link, "/etc"); break;
            case "file to link": Replace(file, "f.old"); break;
            case "directory to link": Replace(folder, "d.old"); break;
            case "index cut": File.WriteAllText(index, File.ReadAllText(index)[..^1]); break;
            case "index changed": File.WriteAllText(index, File.ReadAllText(index).Replace("644", "645", StringComparison.Ordinal)); break;
            case "index gone": File.Delete(index); break;
            case "index is a link": Replace(index, Path.GetFileName(index) + ".old"); break;
            case "tree gone": Directory.Delete(tree, recursive: true); break;
            default: throw new ArgumentOutOfRangeException(nameof(damage));
        }
    }

    private static string Code(Action act) => Assert.Throws<ReleaseRefused>(act).Code;

    private static string[] Names(string folder) => [.. Directory.EnumerateFileSystemEntries(folder).Select(path => Path.GetFileName(path)!)];
}
