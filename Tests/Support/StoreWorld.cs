using System;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Activators.Releases;
using Xunit;

namespace Agent.Tests.Support;

/// <summary>A release store in a folder of its own, with room around it in which nothing may appear.</summary>
internal sealed class StoreWorld : IDisposable
{
    public StoreWorld(ReleaseLimits? limits = null)
    {
        Home = Directory.CreateTempSubdirectory("releases-").FullName;
        Archives = Directory.CreateDirectory(Path.Combine(Home, "archives")).FullName;
        Root = Path.Combine(Home, "around", "releases");
        Store = new ReleaseStore(Root, limits);
    }

    public string Home { get; }

    /// <summary>Where archives are made; outside of the store.</summary>
    public string Archives { get; }

    public string Root { get; }

    public ReleaseStore Store { get; }

    public string Staging => Path.Combine(Root, "staging");

    public Task ImportAsync(TestRelease release) =>
        Store.ImportAsync(release.Path, release.Sha256, release.Length, CancellationToken.None);

    public async Task<TestRelease> ImportAsync(params (string Name, string Text)[] files)
    {
        var release = TestRelease.Make(Archives, files);
        await ImportAsync(release);
        return release;
    }

    /// <summary>The code of a refusal, after which there is nothing anywhere that was not there before.</summary>
    public async Task<string> RefusalAsync(TestRelease release)
    {
        var before = Everything();
        var refused = await Assert.ThrowsAsync<ReleaseRefused>(() => ImportAsync(release));
        Assert.Equal(before, Everything());
        Assert.Empty(Directory.EnumerateFileSystemEntries(Staging));
        return refused.Code;
    }

    public Task<string> RefusalAsync(byte[] archive) => RefusalAsync(TestRelease.Of(Archives, archive));

    /// <summary>Every name around and in the store, but for the archives.</summary>
    public string[] Everything() =>
    [
        .. Directory.EnumerateFileSystemEntries(Home, "*", SearchOption.AllDirectories)
            .Where(path => !path.StartsWith(Archives, StringComparison.Ordinal)).Order(StringComparer.Ordinal),
    ];

    public void Dispose()
    {
        Store.Dispose();
        Directory.Delete(Home, recursive: true);
    }
}
