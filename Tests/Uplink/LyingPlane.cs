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

/// <summary>
/// A plane in the hands of an enemy: it has its certificate, a host listens to it, and it can sign nothing. It notes what
/// it is told.
/// </summary>
internal sealed class LyingPlane : IAsyncDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("lying-").FullName;
    private readonly Authority _authority;
    private readonly FalsePlane _plane;
    private FaultyProxy? _line;
    private EnrolledHost? _host;
    private DispatchInfo? _offer;

    private LyingPlane()
    {
        _authority = Authority.Init(_home, ["localhost"], RealPlane.Now);
        _plane = new FalsePlane(_authority, AnswerAsync);
    }

    public ManifestWorld Manifests { get; } = new();

    public List<Telling> Told { get; } = [];

    public FalsePlane Plane => _plane;

    public FaultyProxy Line => _line!;

    public EnrolledHost Host => _host!;

    /// <summary>What it says where it is asked for the next trust file.</summary>
    public string Trust { get; set; } = "";

    /// <summary>What it says where it is asked for an archive.</summary>
    public Func<HttpContext, Task> Archive { get; set; } = FalsePlane.Saying(404, "text/html", "");

    public static async Task<LyingPlane> OpenAsync()
    {
        var lying = new LyingPlane();
        await lying._plane.StartAsync();
        lying._line = new FaultyProxy(lying._plane.Url.Port, seed: 1);
        lying._host = new EnrolledHost(
            lying._authority, new Uri($"https://localhost:{lying._line.Port}"), ManifestWorld.Name)
        {
            TrustPath = lying.Manifests.TrustPath, Intake = lying.Manifests.TakeAsync,
        };
        await lying._host.AttachAsync();
        Assert.Equal("taken", await lying.Manifests.OfferAsync(lying.Manifests.Good(5)));
        return lying;
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null) await _host.DisposeAsync();
        if (_line is not null) await _line.DisposeAsync();
        await _plane.DisposeAsync();
        _authority.Dispose();
        Manifests.Dispose();
        Directory.Delete(_home, recursive: true);
    }

    /// <summary>Offers it; nothing changes, and the plane hears this code.</summary>
    public async Task DeclinedAsync(string code, Bundle bundle)
    {
        Told.Clear();
        Offer(bundle);
        await Manifests.UnchangedAsync(async () =>
        {
            await Host.Watch.DispatchAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));
            return "";
        });
        var refused = Assert.IsType<Telling.Refused>(Assert.Single(Told));
        Assert.Equal(code, refused.Code);
        Assert.Equal(_offer!.Rollout, refused.Id.Value);
        Assert.NotEqual("", refused.Detail);
    }

    public void Offer(Bundle bundle)
    {
        var reference = ManifestReader.RefOf(Convert.ToHexStringLower(SHA256.HashData(bundle.Manifest.Span)));
        _offer = new DispatchInfo(
            $"{ManifestWorld.Channel}@{reference}", bundle.Manifest, bundle.Signatures, bundle.Release, bundle.ReleaseSignatures);
    }

    public Bundle Changed(Action<System.Text.Json.Nodes.JsonObject> change)
    {
        var manifest = Manifests.Manifest(6);
        change(manifest);
        return Manifests.Bundle(manifest);
    }

    /// <summary>All is signed, and the store has not got the archive.</summary>
    public (Bundle Bundle, TestRelease Release) Unknown()
    {
        var release = TestRelease.Make(Manifests.Store.Archives, ("app", "two"));
        return (Manifests.Bundle(Manifests.Manifest(7, release), Manifests.Descriptor(release)), release);
    }

    private async Task AnswerAsync(HttpContext http)
    {
        var path = http.Request.Path.Value!;
        if (path.StartsWith(Protocol.Releases, StringComparison.Ordinal))
        {
            await Archive(http);
            return;
        }

        if (path == Protocol.Events)
        {
            var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body, http.RequestAborted);
            var tellings = Tellings.Read(body.ToArray()).Tellings!.Select(one => one.Telling).ToList();
            Told.AddRange(tellings);
            var verdicts = new EventsAnswer([.. tellings.Select(_ => new VerdictInfo(200))]);
            await FalsePlane.Json(JsonSerializer.Serialize(verdicts, PlaneAnswers.Default.EventsAnswer))(http);
            return;
        }

        await FalsePlane.Json(
            path == Protocol.Dispatch ? JsonSerializer.Serialize(_offer!, PlaneAnswers.Default.DispatchInfo)
            : path == Protocol.Trust ? Trust
            : "{\"replay\":[]}")(http);
    }
}
