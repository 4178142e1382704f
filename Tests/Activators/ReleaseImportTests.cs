using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Activators.Releases;
using Agent.Tests.EndToEnd;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Activators;

/// <summary>An archive becomes a release whole, or not at all.</summary>
public sealed class ReleaseImportTests
{
    private static readonly string Other = new('0', 64);

    /// RO-11, upstream write_and_verify_roundtrip_succeeds, fixed_path_injections_can_express_a_config_tree: what was packed
    /// is what lies there, with its modes, links and nothing else.
    [Fact]
    public async Task A_release_is_what_was_packed()
    {
        using var world = new StoreWorld();
        var archive = new TarBytes().Directory("./").Directory("bin/", mode: 0x1E8).Add("./bin/run", "#!/bin/sh\n", mode: 0x1FD)
            .Add("lib/deep/ä ö", "text").Link("lib/current", "deep/ä ö").Link("lib/deep/up", "../../bin").Link("dangling", "not there")
            .Add("empty").ToGzip();
        var release = TestRelease.Of(world.Archives, archive);
        await world.ImportAsync(release);

        var tree = world.Store.PathOf(release.Sha256);
        Assert.Null(world.Store.Verify(release.Sha256));
        Assert.Equal("text", await File.ReadAllTextAsync(Path.Combine(tree, "lib/current")));
        Assert.Equal("../../bin", new FileInfo(Path.Combine(tree, "lib/deep/up")).LinkTarget);
        Assert.Equal("755", Mode(Path.Combine(tree, "bin/run")));
        Assert.Equal("750", Mode(Path.Combine(tree, "bin")));
        Assert.Equal("755", Mode(Path.Combine(tree, "lib")));
        Assert.Equal(0, new FileInfo(Path.Combine(tree, "empty")).Length);
        Assert.Empty(Directory.EnumerateFileSystemEntries(world.Staging));
        Assert.Equal([release.Sha256], world.Store.List());

        // Who runs a release as another user passes through; only its tree can be read.
        foreach (var folder in (string[])["", "store", "channels"]) Assert.Equal("711", Mode(Path.Combine(world.Root, folder)));
        Assert.Equal("700", Mode(Path.Combine(world.Root, "staging")));
    }

    /// RO-11: what GNU tar writes in any of its formats, compressed or not, is a release.
    [SkippableTheory]
    [InlineData("ustar", false)]
    [InlineData("gnu", true)]
    [InlineData("posix", true)]
    public async Task Archives_of_GNU_tar_are_taken(string format, bool compressed)
    {
        Skip.IfNot(File.Exists("/usr/bin/tar") || File.Exists("/bin/tar"), "needs tar");
        using var world = new StoreWorld();
        var tree = Directory.CreateDirectory(Path.Combine(world.Archives, "tree")).FullName;
        var name = new string('n', format == "ustar" ? 90 : 200);
        foreach (var folder in (string[])["", "a", $"{name[..90]}"]) Directory.CreateDirectory(Path.Combine(tree, folder));
        await File.WriteAllTextAsync(Path.Combine(tree, "a", name), "content");
        await File.WriteAllTextAsync(Path.Combine(tree, name[..90], name), "content");
        File.CreateSymbolicLink(Path.Combine(tree, "a", "link"), Path.Combine("..", name[..90]));
        var archive = Path.Combine(world.Archives, "archive");
        Assert.True(Mounts.Run("tar", "--format", format, compressed ? "-czf" : "-cf", archive, "-C", tree, "."));

        var release = TestRelease.Of(world.Archives, await File.ReadAllBytesAsync(archive));
        await world.ImportAsync(release);

        Assert.True(Mounts.Run("diff", "-r", tree, world.Store.PathOf(release.Sha256)));
        Assert.Null(world.Store.Verify(release.Sha256));
    }

    /// RO-11: a release that is there is not read again, nor written.
    [Fact]
    public async Task Importing_again_changes_nothing()
    {
        using var world = new StoreWorld();
        var release = await world.ImportAsync(("a", "1"));
        var before = File.GetLastWriteTimeUtc(Path.Combine(world.Root, "store"));
        await world.Store.ImportAsync(new UnreadStream(), release.Sha256, release.Length, CancellationToken.None);
        Assert.Equal(before, File.GetLastWriteTimeUtc(Path.Combine(world.Root, "store")));
    }

    /// RO-11: a release that was damaged is made whole by importing it again, and never absent meanwhile.
    [Fact]
    public async Task A_damaged_release_is_replaced()
    {
        using var world = new StoreWorld();
        var release = await world.ImportAsync(("a", "1"), ("b/c", "2"));
        world.Store.Switch("main", release.Sha256);
        await File.WriteAllTextAsync(Path.Combine(world.Store.PathOf(release.Sha256), "b/c"), "3");
        Assert.Contains("b/c", world.Store.Verify(release.Sha256), StringComparison.Ordinal);

        await world.ImportAsync(release);

        Assert.Null(world.Store.Verify(release.Sha256));
        Assert.Equal("2", await File.ReadAllTextAsync(Path.Combine(world.Store.PathOfCurrent("main"), "b/c")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(world.Staging));
    }

    /// RO-11: bytes that are not the promised ones are not looked into.
    [Fact]
    public async Task Wrong_hash_length_and_size_are_refused()
    {
        using var world = new StoreWorld(new ReleaseLimits(ArchiveBytes: 100_000));
        var good = TestRelease.Make(world.Archives, ("a", "1"));
        Assert.Equal("release-hash", await world.RefusalAsync(good with { Sha256 = Other }));
        Assert.Equal("release-hash", await world.RefusalAsync(good with { Sha256 = good.Sha256.ToUpperInvariant() }));
        Assert.Equal("release-hash", await world.RefusalAsync(good with { Sha256 = "../" + good.Sha256[3..] }));
        Assert.Equal("release-length", await world.RefusalAsync(good with { Length = good.Length - 1 }));
        Assert.Equal("release-length", await world.RefusalAsync(good with { Length = good.Length + 1 }));
        Assert.Equal("release-too-large", await world.RefusalAsync(good with { Length = 100_001 }));
    }

    /// RO-11: an archive cut at any block is refused, as is a compressed one cut at any byte.
    [Fact]
    public async Task A_cut_archive_is_refused()
    {
        using var world = new StoreWorld();
        var tar = new TarBytes().Add("a", new string('a', 1500)).Add(new string('n', 120), "b").Link("l", "a");
        var (plain, packed) = (tar.ToArray(), tar.ToGzip());
        for (var cut = 0; cut < plain.Length; cut += 512)
        {
            Assert.Contains(await world.RefusalAsync(plain[..cut]), (string[])["archive-truncated", "archive-size-lie"]);
        }

        // Without its last eight bytes, a sum and a length, a compressed archive still has all its content.
        for (var cut = 0; cut < packed.Length - 8; cut++)
        {
            Assert.Contains(await world.RefusalAsync(packed[..cut]), (string[])["archive-truncated", "archive-garbage"]);
        }
    }

    /// RO-11: no bit of a header can be turned unseen.
    [Fact]
    public void Every_bit_of_a_header_counts()
    {
        var whole = new TarBytes().Add("name", "content", mode: 0x1ED).ToArray();
        Assert.NotNull(ReadAll(whole));
        for (var bit = 0; bit < 512 * 8; bit++)
        {
            var flipped = (byte[])whole.Clone();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            var refused = Assert.Throws<ReleaseRefused>(() => ReadAll(flipped));
            Assert.Contains(refused.Code, (string[])["archive-checksum", "archive-garbage"]);
        }
    }

    /// RO-11, upstream injection_count_is_capped: each bound holds, at the bound and one beyond it.
    [Theory]
    [InlineData(4, null)]
    [InlineData(3, "archive-too-many-entries")]
    public async Task Implied_directories_count(int limit, string? code)
    {
        using var world = new StoreWorld(new ReleaseLimits(Entries: limit));
        var release = TestRelease.Make(world.Archives, ("a/b/c", "1"), ("d", "2"));
        if (code is null) await world.ImportAsync(release);
        else Assert.Equal(code, await world.RefusalAsync(release));
    }

    /// RO-11: long names are bounded in all, so that judging an archive takes bounded memory.
    [Theory]
    [InlineData(200, null)]
    [InlineData(199, "archive-too-many-entries")]
    public async Task Names_are_bounded_in_all(int limit, string? code)
    {
        using var world = new StoreWorld(new ReleaseLimits(NamesBytes: limit));
        var release = TestRelease.Make(world.Archives, (new string('a', 100), "1"), (new string('b', 100), "2"));
        if (code is null) await world.ImportAsync(release);
        else Assert.Equal(code, await world.RefusalAsync(release));
    }

    /// RO-11: an archive may expand to its bound and not to a byte more.
    [Theory]
    [InlineData(0, null)]
    [InlineData(-1, "archive-bomb")]
    public async Task Expansion_is_bounded(int less, string? code)
    {
        var tar = new TarBytes().Add("a", new string('a', 20_000));
        using var world = new StoreWorld(new ReleaseLimits(FreeOfRatioBytes: tar.ToArray().Length + less, Ratio: 1));
        if (code is null) await world.ImportAsync(TestRelease.Of(world.Archives, tar.ToGzip()));
        else Assert.Equal(code, await world.RefusalAsync(tar.ToGzip()));
    }

    /// RO-11: the deepest tree and the longest names that are allowed.
    [Fact]
    public async Task The_deepest_and_longest_are_taken()
    {
        using var world = new StoreWorld();
        var release = await world.ImportAsync(
            (string.Concat(Enumerable.Repeat("d/", 63)) + "f", "1"),
            (new string('n', 255), "2"),
            (string.Join('/', Enumerable.Repeat(new string('n', 254), 16).Append(new string('n', 15)))[1..], "3"));
        Assert.Null(world.Store.Verify(release.Sha256));
        world.Store.Collect(0, new System.Collections.Generic.HashSet<string>());
        Assert.Empty(Directory.EnumerateFileSystemEntries(world.Staging));
    }

    /// RO-11, upstream injection_total_bytes_are_capped_before_scratch_allocation: a disk that has no room for it is
    /// said before anything is unpacked, with figures.
    [Fact]
    public async Task No_room_is_said_with_figures()
    {
        using var world = new StoreWorld(new ReleaseLimits(ReserveBytes: long.MaxValue / 2));
        var release = TestRelease.Make(world.Archives, ("a", "1"));
        Assert.Equal("no-space", await world.RefusalAsync(release));
        var refused = await Assert.ThrowsAsync<ReleaseRefused>(() => world.ImportAsync(release));
        Assert.Contains($"needs {release.Length} bytes", refused.Message, StringComparison.Ordinal);
    }

    /// RO-11: a small disk: too little room for the content, then too little for the names.
    [SkippableTheory]
    [InlineData("size=1m", 1, 2 << 20)]
    [InlineData("nr_inodes=40", 60, 1)]
    public async Task A_small_disk_refuses_and_stays_clean(string options, int files, int bytes)
    {
        using var world = new StoreWorld();
        var disk = Directory.CreateDirectory(Path.Combine(world.Home, "disk")).FullName;
        Skip.IfNot(Mounts.Run("mount", "-t", "tmpfs", "-o", options, "tmpfs", disk), "needs to mount a tmpfs");
        try
        {
            using var store = new ReleaseStore(Path.Combine(disk, "releases"), new ReleaseLimits(ReserveBytes: 0));
            var tar = new TarBytes();
            for (var n = 0; n < files; n++) tar.Add($"f{n}", new string('x', bytes));
            var release = TestRelease.Of(world.Archives, tar.ToGzip());
            var refused = await Assert.ThrowsAsync<ReleaseRefused>(
                () => store.ImportAsync(release.Path, release.Sha256, release.Length, CancellationToken.None));
            Assert.Equal("no-space", refused.Code);
            Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(disk, "releases", "staging")));
            Assert.Empty(store.List());
        }
        finally
        {
            Assert.True(Mounts.Run("umount", disk));
        }
    }

    /// RO-11: an import that is given up leaves nothing.
    [Fact]
    public async Task A_cancelled_import_leaves_nothing()
    {
        using var world = new StoreWorld();
        using var stop = new CancellationTokenSource();
        var release = TestRelease.Make(world.Archives, ("a", "1"));
        await using var archive = new CancellingStream(File.OpenRead(release.Path), stop);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => world.Store.ImportAsync(archive, release.Sha256, release.Length, stop.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(world.Staging));
        Assert.Empty(world.Store.List());
    }

    private static string Mode(string path) => Convert.ToString((int)File.GetUnixFileMode(path), 8);

    private static TarEntry? ReadAll(byte[] archive)
    {
        var reader = new TarReader(new MemoryStream(archive), long.MaxValue, archive.Length, 1024);
        TarEntry? last = null;
        while (reader.Next() is { } entry) last = entry;
        return last;
    }

    private sealed class UnreadStream : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new UnreachableException();
    }

    /// <summary>Cancels once it has been read to its end.</summary>
    private sealed class CancellingStream(Stream inner, CancellationTokenSource stop) : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var got = await inner.ReadAsync(buffer, CancellationToken.None);
            if (got == 0) await stop.CancelAsync();
            return got;
        }
    }
}
