using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Tasks;
using Agent.Shell.Activators.Releases;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Activators;

/// <summary>Archives made to do harm: each is refused with its own code, and nothing of it is anywhere.</summary>
public sealed class HostileArchiveTests
{
    private static readonly Dictionary<string, string> Expected = new(StringComparer.Ordinal)
    {
        ["01_abs.tar"] = "archive-absolute-path",
        ["02_dotdot.tar"] = "archive-parent-path",
        ["03_mid_dotdot.tar"] = "archive-parent-path",
        ["04_symlink_then_write.tar"] = "archive-symlink-escape",
        ["05_symlink_abs.tar"] = "archive-symlink-escape",
        ["06_hardlink_abs.tar"] = "archive-hardlink",
        ["07_hardlink_rel.tar"] = "archive-hardlink",
        ["08_setuid.tar"] = "archive-setuid",
        ["09_chardev.tar"] = "archive-device",
        ["10_fifo.tar"] = "archive-fifo",
        ["11_dup.tar"] = "archive-duplicate",
        ["12_symlink_dir_in_dir.tar"] = "archive-symlink-escape",
        ["13_file_over_symlink.tar"] = "archive-symlink-escape",
        ["14_world_writable.tar"] = "archive-world-writable",
        ["15_nul_name.tar"] = "archive-bad-name",
        ["16_deep.tar"] = "archive-too-deep",
        ["17_size_lie.tar"] = "archive-size-lie",
        ["18_trunc.tar"] = "archive-truncated",
        ["19_garbage.tar"] = "archive-garbage",
        ["20_badsum.tar"] = "archive-checksum",
        ["21_bomb.tgz"] = "archive-bomb",
    };

    private static readonly TarBytes Good = new TarBytes().Add("good", "good");

    private static string Recipe => Path.GetFullPath(
        Path.Combine(Path.GetDirectoryName(Here())!, "..", "..", "..", "shared", "recipes", "hostile_tars.py"));

    /// <summary>Attacks by name: an archive and the code that refuses it.</summary>
    public static TheoryData<string> Attacks => [.. Made.Keys];

    private static readonly Dictionary<string, (string Code, Func<byte[]> Archive)> Made = new(StringComparer.Ordinal)
    {
        ["absolute path"] = ("archive-absolute-path", () => new TarBytes().Add("/tmp/out").ToArray()),
        ["absolute path by pax"] = ("archive-absolute-path", () => new TarBytes().Pax("path", "/out").Add("in").ToArray()),
        ["absolute path by a prefix"] = ("archive-absolute-path", () => Headed(block => block[345] = (byte)'/')),
        ["parent"] = ("archive-parent-path", () => new TarBytes().Add("../out").ToArray()),
        ["parent within"] = ("archive-parent-path", () => new TarBytes().Add("a/../../out").ToArray()),
        ["parent that stays inside"] = ("archive-parent-path", () => new TarBytes().Add("a/../b").ToArray()),
        ["only the parent"] = ("archive-parent-path", () => new TarBytes().Directory("..").ToArray()),
        ["parent behind dots"] = ("archive-parent-path", () => new TarBytes().Add("././../out").ToArray()),
        ["parent by a GNU name"] = ("archive-parent-path", () => new TarBytes().Special('L', "../out\0"u8.ToArray()).Add("in").ToArray()),
        ["absolute link"] = ("archive-symlink-escape", () => new TarBytes().Link("l", "/etc/passwd").ToArray()),
        ["link to the parent"] = ("archive-symlink-escape", () => new TarBytes().Link("l", "..").ToArray()),
        ["link up and down again"] = ("archive-symlink-escape", () => new TarBytes().Link("a/l", "../../releases/a").ToArray()),
        ["link up behind a link"] = (
            "archive-symlink-escape", () => new TarBytes().Directory("a").Link("a/up", "..").Link("l", "a/up/../../out").ToArray()),
        ["link up behind a name"] = ("archive-symlink-escape", () => new TarBytes().Link("l", "a/../b").ToArray()),
        ["link by a GNU target"] = ("archive-symlink-escape", () => new TarBytes().Special('K', "../out\0"u8.ToArray()).Link("l", "x").ToArray()),
        ["link by a pax target"] = ("archive-symlink-escape", () => new TarBytes().Pax("linkpath", "/out").Link("l", "x").ToArray()),
        ["link without a target"] = ("archive-bad-name", () => new TarBytes().Link("l", "").ToArray()),
        ["through a link"] = ("archive-through-symlink", () => new TarBytes().Directory("a").Link("l", "a").Add("l/f").ToArray()),
        ["deep through a link"] = ("archive-through-symlink", () => new TarBytes().Link("l", "a").Add("l/b/c/f").ToArray()),
        ["directory over a link"] = ("archive-duplicate", () => new TarBytes().Link("l", "a").Directory("l").ToArray()),
        ["file over a link"] = ("archive-duplicate", () => new TarBytes().Link("l", "a").Add("l").ToArray()),
        ["link over a directory"] = ("archive-duplicate", () => new TarBytes().Add("l/f").Link("l", "a").ToArray()),
        ["hard link"] = ("archive-hardlink", () => new TarBytes().Add("a").Add("h", kind: '1', target: "a").ToArray()),
        ["character device"] = ("archive-device", () => new TarBytes().Add("d", kind: '3').ToArray()),
        ["block device"] = ("archive-device", () => new TarBytes().Add("d", kind: '4').ToArray()),
        ["fifo"] = ("archive-fifo", () => new TarBytes().Add("p", kind: '6').ToArray()),
        ["setuid"] = ("archive-setuid", () => new TarBytes().Add("s", mode: 0x9ED).ToArray()),
        ["setgid"] = ("archive-setuid", () => new TarBytes().Directory("s", mode: 0x5ED).ToArray()),
        ["sticky"] = ("archive-setuid", () => new TarBytes().Directory("s", mode: 0x3ED).ToArray()),
        ["world-writable file"] = ("archive-world-writable", () => new TarBytes().Add("w", mode: 0x1B6).ToArray()),
        ["world-writable directory"] = ("archive-world-writable", () => new TarBytes().Directory("w", mode: 0x1FF).ToArray()),
        ["twice"] = ("archive-duplicate", () => new TarBytes().Add("a", "1").Add("a", "2").ToArray()),
        ["twice in other words"] = ("archive-duplicate", () => new TarBytes().Add("a", "1").Add("./a", "2").ToArray()),
        ["directory twice"] = ("archive-duplicate", () => new TarBytes().Directory("a").Directory("a/").ToArray()),
        ["file as a directory"] = ("archive-duplicate", () => new TarBytes().Add("a").Add("a/b").ToArray()),
        ["line break"] = ("archive-bad-name", () => new TarBytes().Add("a\nb").ToArray()),
        ["escape sequence"] = ("archive-bad-name", () => new TarBytes().Add("a\e[2J").ToArray()),
        ["NUL by pax"] = ("archive-bad-name", () => new TarBytes().Pax("path", "a\0b").Add("in").ToArray()),
        ["behind a NUL"] = ("archive-bad-name", () => new TarBytes().Add("a\0b").ToArray()),
        ["not UTF-8"] = ("archive-bad-name", () => Headed(block => block[1] = 0xFF)),
        ["overlong slash"] = ("archive-bad-name", () => Headed(block => (block[1], block[2]) = (0xC0, 0xAF))),
        ["no name"] = ("archive-bad-name", () => new TarBytes().Add("").ToArray()),
        ["empty part"] = ("archive-bad-name", () => new TarBytes().Add("a//b").ToArray()),
        ["dot within"] = ("archive-bad-name", () => new TarBytes().Add("a/./b").ToArray()),
        ["file like a directory"] = ("archive-bad-name", () => new TarBytes().Add("a/").ToArray()),
        ["too deep"] = ("archive-too-deep", () => new TarBytes().Add(string.Concat(Enumerable.Repeat("d/", 64)) + "f").ToArray()),
        ["long name"] = ("archive-name-too-long", () => new TarBytes().Add(new string('n', 256)).ToArray()),
        ["long path"] = ("archive-name-too-long", () => new TarBytes().Add(string.Join('/', Enumerable.Repeat(new string('n', 254), 17))).ToArray()),
        ["long target"] = ("archive-name-too-long", () => new TarBytes().Link("l", new string('n', 256)).ToArray()),
        ["huge header"] = ("archive-name-too-long", () => new TarBytes().Special('L', new byte[65537]).Add("a").ToArray()),
        ["size lie"] = ("archive-size-lie", () => new TarBytes().Add("a", "x", size: 1L << 33).ToArray()),
        ["negative size"] = ("archive-size-lie", () => Headed(block => block.AsSpan(124, 12).Fill(0xFF))),
        ["size of 95 bits"] = ("archive-size-lie", () => Headed(block => (block[124], block[125]) = (0x80, 1))),
        ["negative size by pax"] = ("archive-size-lie", () => new TarBytes().Pax("size", "-1").Add("a").ToArray()),
        ["directory with content"] = ("archive-size-lie", () => new TarBytes().Add("a", "x", kind: '5', mode: 0x1ED).ToArray()),
        ["checksum"] = ("archive-checksum", () => Changed(Good.ToArray(), 0)),
        ["no end"] = ("archive-truncated", () => Good.ToArrayWithoutEnd()),
        ["half an end"] = ("archive-truncated", () => [.. Good.ToArrayWithoutEnd(), .. new byte[512]]),
        ["nothing"] = ("archive-truncated", () => []),
        ["only an end"] = ("archive-garbage", () => new TarBytes().ToArray()),
        ["only the root"] = ("archive-garbage", () => new TarBytes().Directory("./").ToArray()),
        ["a second archive behind the end"] = ("archive-garbage", () => [.. Good.ToArray(), .. Good.ToArray()]),
        ["text"] = ("archive-garbage", () => Encoding.UTF8.GetBytes(new string('x', 2048))),
        ["gzip of text"] = ("archive-garbage", () => TarBytes.Gzip(Encoding.UTF8.GetBytes(new string('x', 2048)))),
        ["gzip that is none"] = ("archive-garbage", () => [0x1F, 0x8B, .. new byte[2000]]),
        ["gzip in gzip"] = ("archive-truncated", () => TarBytes.Gzip(Good.ToGzip())),
        ["sparse file"] = ("archive-garbage", () => new TarBytes().Add("s", kind: 'S').ToArray()),
        ["sparse file by pax"] = ("archive-garbage", () => new TarBytes().Pax("GNU.sparse.major", "1").Add("s").ToArray()),
        ["path for all"] = ("archive-garbage", () => new TarBytes().Pax("path", "x", kind: 'g').Add("s").ToArray()),
        ["two extended headers"] = ("archive-garbage", () => new TarBytes().Pax("path", "x").Pax("path", "y").Add("s").ToArray()),
        ["two long names"] = (
            "archive-garbage", () => new TarBytes().Special('L', "x"u8.ToArray()).Pax("path", "y").Add("s").ToArray()),
        ["extended header of nothing"] = ("archive-garbage", () => new TarBytes().Add("s").Pax("path", "x").ToArray()),
        ["malformed pax"] = ("archive-garbage", () => new TarBytes().Special('x', "99 path=x\n"u8.ToArray()).Add("s").ToArray()),
        ["size in words"] = ("archive-garbage", () => Headed(block => "twelve"u8.CopyTo(block.AsSpan(124)))),
        ["mode with a minus"] = ("archive-garbage", () => Headed(block => block[100] = (byte)'-')),
        ["bomb that says so"] = ("archive-bomb", () => TarBytes.Gzip(new TarBytes().Add("z", size: 1L << 30).ToArray())),
        ["bomb behind the end"] = ("archive-bomb", () => TarBytes.Gzip([.. Good.ToArray(), .. new byte[65 << 20]])),
    };

    /// RO-11, upstream validate_fixed_path_rejects_relative_and_specials,
    /// validate_fixed_path_rejects_parent_dir_escape, duplicate_placements_are_rejected,
    /// duplicate_fixed_path_aliases_are_rejected: whatever an archive tries, it is refused by name and has left no
    /// trace.
    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task An_attack_is_refused_and_leaves_nothing(string attack)
    {
        var (code, archive) = Made[attack];
        using var world = new StoreWorld();
        Assert.Equal(code, await world.RefusalAsync(archive()));
    }

    /// RO-11: the same attacks behind a good entry: not even that is left.
    [Theory]
    [InlineData("archive-parent-path", "../out", '0', "")]
    [InlineData("archive-symlink-escape", "l", '2', "/etc")]
    [InlineData("archive-device", "d", '3', "")]
    public async Task A_good_beginning_does_not_help(string code, string name, char kind, string target)
    {
        using var world = new StoreWorld();
        Assert.Equal(code, await world.RefusalAsync(new TarBytes().Add("a/b", "good").Add(name, kind: kind, target: target).ToGzip()));
    }

    /// RO-11: the archives of another writer, each with the code it is to be refused by.
    [SkippableFact]
    public async Task Every_archive_of_the_shared_recipe_is_refused_by_its_name()
    {
        Skip.IfNot(File.Exists(Recipe), $"needs {Recipe}");
        using var world = new StoreWorld();
        Skip.IfNot(await MadeByPythonAsync(world.Archives), "needs python3");
        var found = Directory.GetFiles(world.Archives).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);
        Assert.Equal(Expected.Keys.Order(StringComparer.Ordinal), found);
        foreach (var (name, code) in Expected)
        {
            var bytes = await File.ReadAllBytesAsync(Path.Combine(world.Archives, name));
            Assert.Equal((name, code), (name, await world.RefusalAsync(bytes)));
        }

        Assert.False(File.Exists("/tmp/OUT_abs"));
    }

    private static async Task<bool> MadeByPythonAsync(string folder)
    {
        try
        {
            using var python = Process.Start(new ProcessStartInfo("python3", [Recipe])
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
            })!;
            await python.WaitForExitAsync();
            return python.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static byte[] Headed(Action<byte[]> change) =>
        new TarBytes().Raw(TarBytes.Header("name", '0', "", 0x1A4, 0, change)).ToArray();

    private static byte[] Changed(byte[] bytes, int at)
    {
        bytes[at] ^= 1;
        return bytes;
    }

    private static string Here([CallerFilePath] string path = "") => path;
}
