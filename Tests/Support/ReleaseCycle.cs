using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Activators.Releases;
using Xunit;

namespace Agent.Tests.Support;

/// <summary>
/// A store that never rests: import, switch, collect, over and over, telling what it is about to switch to and what it
/// has switched to. And what must be true of it whenever and however that ends.
/// </summary>
internal static class ReleaseCycle
{
    public const string Channel = "main";

    /// <summary>Small disks take part too.</summary>
    public static ReleaseLimits Limits { get; } = new(ReserveBytes: 0);

    /// <summary>Releases of a few files each, so that there is time to be interrupted.</summary>
    public static IReadOnlyList<TestRelease> Make(string folder) =>
    [
        .. Enumerable.Range(0, 3).Select(release => TestRelease.Make(
            folder, [.. Enumerable.Range(0, 30).Select(n => ($"d{n % 7}/f{n}", $"{release} {n} {new string('x', n * 200)}"))])),
    ];

    public static async Task RunAsync(ReleaseStore store, IReadOnlyList<TestRelease> releases, Action<string, string> tell)
    {
        for (var n = 0; ; n++)
        {
            var (path, sha256, length) = releases[n % releases.Count];
            await store.ImportAsync(path, sha256, length, CancellationToken.None);
            tell("switching", sha256);
            store.Switch(Channel, sha256);
            tell("switched", sha256);
            store.Collect(1, new HashSet<string>());
        }
    }

    /// <summary>
    /// Before anything is repaired: the link is the one that was told last, or the one that was under way, its release
    /// is whole, and so is every other in the store. After a sweep there is nothing else.
    /// </summary>
    public static void Judge(string root, string? switched, string? switching)
    {
        using var store = new ReleaseStore(root, Limits);
        var current = store.Current(Channel);
        Assert.Contains(current, (string?[])[switched, switching]);
        foreach (var release in store.List().Append(current).OfType<string>()) Assert.Null(store.Verify(release));
        store.Sweep();
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(root, "staging")));
        Assert.Equal(
            store.List().SelectMany(release => (string[])[release, release + ".index"]).Order(StringComparer.Ordinal),
            Directory.EnumerateFileSystemEntries(Path.Combine(root, "store")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(current, store.Current(Channel));
        if (current is not null) Assert.Null(store.Verify(current));
    }
}
