using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Activators.Releases;
using Agent.Shell.Linux;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Activators;

/// <summary>Somebody swaps names under the work.</summary>
public sealed class StagingRaceTests
{
    private const int Refusals = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// RO-11: a directory of staging that becomes a link leads no write out, and never enters the store.
    [Fact]
    public async Task A_link_planted_in_staging_makes_the_import_fail_and_leads_nowhere()
    {
        using var world = new StoreWorld();
        var outside = Directory.CreateDirectory(Path.Combine(world.Home, "outside")).FullName;
        var release = TestRelease.Make(
            world.Archives, [.. Enumerable.Range(0, 40).Select(n => ($"a/b{n % 2}/f{n}", $"{n}"))]);
        using var stop = new CancellationTokenSource(Patience);
        var meddler = new Thread(() => Meddle(world.Staging, outside, stop.Token));
        meddler.Start();
        var (refused, taken) = (0, 0);
        while (refused < Refusals && !stop.IsCancellationRequested)
        {
            try
            {
                await world.ImportAsync(release);
                taken++;
                Assert.Null(world.Store.Verify(release.Sha256));
                world.Store.Collect(0, new HashSet<string>());
            }
            catch (ReleaseRefused failure)
            {
                Assert.Equal("staging-changed", failure.Code);
                Assert.Empty(world.Store.List());
                refused++;
            }
            catch (FileFailure)
            {
                // Collecting met the meddler.
            }
        }

        await stop.CancelAsync();
        meddler.Join();
        Assert.True(refused >= Refusals, $"{refused} imports were refused, {taken} got through");
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
        world.Store.Sweep();
        Assert.Empty(Directory.EnumerateFileSystemEntries(world.Staging));
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
    }

    /// <summary>
    /// Takes a directory away and leaves a link to the outside in its place: for each import one at another depth, and
    /// at another moment.
    /// </summary>
    private static void Meddle(string staging, string outside, CancellationToken stop)
    {
        string[] places = ["", "tree", "tree/a", "tree/a/b1"];
        var random = new Random(13);
        for (var n = 0; !stop.IsCancellationRequested; n++)
        {
            try
            {
                foreach (var work in Directory.GetDirectories(staging))
                {
                    var path = Path.Combine(work, places[Path.GetFileName(work)[0] % places.Length]).TrimEnd('/');
                    var due = !work.EndsWith("-taken", StringComparison.Ordinal) && random.Next(20) == 0;
                    if (!due || !Directory.Exists(path) || File.ResolveLinkTarget(path, returnFinalTarget: false) is not null) continue;
                    Directory.Move(path, Path.Combine(staging, $"{n}-taken"));
                    File.CreateSymbolicLink(path, outside);
                }
            }
            catch (IOException)
            {
                // Too late; the next round comes at once.
            }
        }
    }
}
