using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Plane;
using Agent.Shell.Manifests;
using Agent.Shell.Pki;
using Agent.Shell.Trust;
using Agent.Shell.Uplink;
using Agent.Tests.Manifests;
using Agent.Tests.Support;
using Agent.Tests.Trust;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Agent.Tests.Uplink;

/// <summary>What a plane that lies can do to a host: keep it from newer work, and no more.</summary>
public sealed class LyingPlaneTests
{
    /// TR-4, TR-1, TR-2: nothing that was not signed for this host, now, changes anything on it; the plane is told why.
    [Theory]
    [InlineData("another host's", "wrong-host")]
    [InlineData("an old one", "version-rollback")]
    [InlineData("a stale one", "stale")]
    [InlineData("an unsigned one", "no-signatures")]
    [InlineData("one with another target", "signature-invalid")]
    [InlineData("one with another release", "release-hash")]
    public async Task Nothing_changes_a_host_but_what_was_signed_for_it(string manifest, string code)
    {
        await using var plane = await LyingPlane.OpenAsync();
        var other = plane.Manifests.Manifest(6);
        other["hosts"]![0]!["target"] = "sha256:" + new string('0', 64);
        await plane.DeclinedAsync(code, manifest switch
        {
            "another host's" => plane.Changed(it => it["hosts"]![0]!["host"] = "other"),
            "an old one" => plane.Manifests.Good(4),
            "a stale one" => plane.Changed(it => it["signedAt"] = plane.Manifests.At(TimeSpan.FromSeconds(-3665))),
            "an unsigned one" => plane.Manifests.Good(6) with { Signatures = SignatureFile.Write([]) },
            "one with another target" => plane.Manifests.Good(6) with { Manifest = ManifestWorld.Bytes(other) },
            _ => plane.Manifests.Bundle(other),
        });
    }

    /// TR-4, TR-1: an archive with other bytes, and one without end, are cut off and taken away; the plane is told why.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_archive_of_other_bytes_is_refused(bool isEndless)
    {
        await using var plane = await LyingPlane.OpenAsync();
        var (bundle, release) = plane.Unknown();
        plane.Archive = isEndless
            ? plane.Plane.Flood("application/octet-stream", 1 << 16, TimeSpan.Zero)
            : http => http.Response.Body.WriteAsync(new byte[release.Length]).AsTask();
        await plane.DeclinedAsync("release-hash", bundle);
        Assert.Empty(Directory.EnumerateFiles(plane.Host.Downloads));
        Assert.InRange(plane.Line.Carried, 0, 32 << 20);
    }

    /// TR-4, WI-6: an archive that ends early, and one that hardly comes, are given up and told of, and nothing of them is
    /// left; meanwhile an operator applies what he has.
    [Theory]
    [InlineData(false, "ended after 1 of")]
    [InlineData(true, "too slowly")]
    public async Task An_archive_that_does_not_come_is_given_up(bool isDrip, string words)
    {
        await using var plane = await LyingPlane.OpenAsync();
        var (bundle, _) = plane.Unknown();
        var asked = new TaskCompletionSource();
        plane.Archive = async http =>
        {
            asked.TrySetResult();
            if (isDrip) await plane.Plane.Flood("application/octet-stream", 1, TimeSpan.FromSeconds(1))(http);
            else await http.Response.Body.WriteAsync(new byte[1]);
        };
        plane.Offer(bundle);
        var turn = plane.Host.Watch.DispatchAsync(CancellationToken.None);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal("taken", await plane.Manifests.OfferAsync(plane.Manifests.Good(6)).WaitAsync(TimeSpan.FromSeconds(8)));
        await turn.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Contains(words, plane.Host.Failure, StringComparison.Ordinal);
        Assert.StartsWith("asking for work: ", plane.Host.Failure, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(plane.Host.Downloads));
        Assert.Empty(plane.Told);
    }

    /// TR-3, TR-4: a trust file that the roots did not sign is told of and not installed; what is refused stays to be
    /// seen while the rest goes well.
    [Fact]
    public async Task A_trust_file_of_strangers_is_told_of()
    {
        await using var plane = await LyingPlane.OpenAsync();
        var before = await File.ReadAllBytesAsync(plane.Manifests.TrustPath);
        var next = ManifestWorld.Bytes(plane.Manifests.Trust(2));
        using var stranger = SigningKey.Generate(KeyAlgorithm.Ed25519);
        plane.Trust = JsonSerializer.Serialize(
            new SignedInfo(next, TrustWorld.Sign(next, stranger)), PlaneAnswers.Default.SignedInfo);
        await plane.Host.Watch.ManifestsAsync(CancellationToken.None);
        await plane.Host.Watch.HeartbeatAsync(CancellationToken.None);
        Assert.StartsWith("the trust file: its trust file is refused: ", plane.Host.Failure, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(plane.Manifests.TrustPath));
    }
}
