using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Time;
using Agent.Shell.Api;
using Agent.Shell.Pki;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Xunit;

namespace Agent.Tests.Pki;

/// <summary>A plane's door on loopback with real TLS, and as many hosts as a test wants. Time stands still.</summary>
internal sealed class PlaneWorld : IAsyncDisposable
{
    public static readonly Instant Start = new(new DateTimeOffset(2030, 3, 1, 12, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds());
    public static readonly HostName Web = HostName.Parse("web-1").IfNone(() => throw new InvalidOperationException());
    public static readonly HostName Database = HostName.Parse("db.eu_2").IfNone(() => throw new InvalidOperationException());

    private readonly string _home = Directory.CreateTempSubdirectory("pki-").FullName;
    private readonly HttpServer _server;
    private readonly List<IDisposable> _owned = [];

    private PlaneWorld(IReadOnlyList<string> names)
    {
        Authority = Authority.Init(Path.Combine(_home, "plane"), names, Start);
        Door = new ServerDoor(Authority, caller => Revoked.ContainsKey(SerialOf(caller)), () => Now);
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(Door.Accept);
        });
        _server = new HttpServer(options, new SocketTransportOptions(), (http, _) => HandleAsync(http));
    }

    public Authority Authority { get; }

    public ServerDoor Door { get; }

    /// <summary>The plane's clock.</summary>
    public Instant Now { get; set; } = Start;

    /// <summary>Serial numbers.</summary>
    public ConcurrentDictionary<string, bool> Revoked { get; } = new();

    public Uri Url { get; private set; } = new("https://localhost");

    public static async Task<PlaneWorld> OpenAsync(params IReadOnlyList<string> names)
    {
        var world = new PlaneWorld(names.Count == 0 ? ["localhost", "127.0.0.1"] : names);
        await world._server.StartAsync(CancellationToken.None);
        world.Url = new Uri($"https://localhost:{new Uri(world._server.Addresses.Single()).Port}");
        return world;
    }

    public string Folder(string name) => Path.Combine(_home, name);

    /// <summary>A host that is enrolled here.</summary>
    public ClientIdentity Enrolled(HostName host)
    {
        var identity = ClientIdentity.Open(Folder(host.Value));
        _owned.Add(identity);
        identity.Accept(Authority.Issue(identity.Request(host), host, Now).Pem, host, Now, Authority.Pem);
        return identity;
    }

    public X509Certificate2 OperatorCertificate(string name) => PemPair.Read(Authority.MakeOperator(name, Now).Pem)!;

    /// <summary>A client with this host's identity, whose clock is the plane's unless it is told.</summary>
    public HttpMessageInvoker Client(ClientIdentity identity, Func<Instant>? clock = null) =>
        Own(PlaneConnections.For(identity, clock ?? (() => Now)));

    /// <summary>A client that trusts this plane and shows any certificate, or none.</summary>
    public HttpMessageInvoker Client(X509Certificate2? certificate)
    {
        var handler = PlaneConnections.ForEnrolment(PemPair.ReadCertificate(Authority.Pem)!, () => Now);
        if (certificate is not null) handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        return Own(handler);
    }

    public HttpMessageInvoker Own(SocketsHttpHandler handler)
    {
        var client = new HttpMessageInvoker(handler);
        _owned.Add(client);
        return client;
    }

    /// <summary>The status and the text of the answer.</summary>
    public async Task<(int Status, string Text)> GetAsync(HttpMessageInvoker client, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Url, path));
        using var answer = await client.SendAsync(request, CancellationToken.None);
        var body = await BoundedBody.ReadAsync(answer.Content, 64 << 10, TimeSpan.FromSeconds(30), CancellationToken.None);
        return ((int)answer.StatusCode, Encoding.UTF8.GetString(body.Span));
    }

    /// <summary>Why a request of this client finds no plane here.</summary>
    public async Task<PkiFault> RefusedAsync(HttpMessageInvoker client)
    {
        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync(client, "/healthz"));
        var refusal = PkiRefused.Of(failure);
        Assert.True(refusal is not null, failure.ToString());
        Assert.StartsWith(PkiFaults.NameOf(refusal.Fault) + ": ", refusal.Message, StringComparison.Ordinal);
        return refusal.Fault;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var owned in _owned) owned.Dispose();
        using (var soon = new CancellationTokenSource(TimeSpan.FromSeconds(5))) await _server.StopAsync(soon.Token);
        await _server.DisposeAsync();
        Authority.Dispose();
        Directory.Delete(_home, recursive: true);
    }

    private async Task HandleAsync(HttpContext context)
    {
        try
        {
            await AnswerAsync(context);
        }
        catch (PkiRefused refusal)
        {
            context.Response.StatusCode = PkiFaults.StatusOf(refusal.Fault);
            await context.Response.WriteAsync(PkiFaults.NameOf(refusal.Fault));
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            context.Abort();
        }
    }

    private static string SerialOf(Caller caller) => caller switch
    {
        Caller.Host host => host.Credential.Serial,
        Caller.Operator person => person.Credential.Serial,
        Caller.Nobody => "",
    };

    private async Task AnswerAsync(HttpContext context)
    {
        var stop = context.RequestAborted;
        var path = context.Request.Path.Value;
        var say = path switch
        {
            "/healthz" => context.Request.Scheme,
            PlaneConnections.AuthorityPath => Authority.Pem,
            "/v1/agent/whoami" => Door.Admit(context.Features).RequireHost().Credential.Serial,
            "/v1/agent/as-web" => Door.Admit(context.Features).RequireHost(Web).Name.Value,
            "/v1/agent/renew" => await RenewAsync(context),
            "/v1/fleet" => Door.Admit(context.Features).RequireOperator().Name,
            _ => null,
        };
        if (path == "/elsewhere") context.Response.Redirect("/healthz");
        if (say is not null) await context.Response.WriteAsync(say, stop);
        if (path == "/endless") await FloodAsync(context.Response.Body, new byte[64 << 10], TimeSpan.Zero, stop);
        if (path == "/drip") await FloodAsync(context.Response.Body, [0], TimeSpan.FromMilliseconds(20), stop);
    }

    private async Task<string> RenewAsync(HttpContext context)
    {
        var host = Door.Admit(context.Features).RequireHost().Name;
        var csr = await BoundedBody.ReadAsync(
            context.Request.Body, SigningRequest.MaxLength, TimeSpan.FromSeconds(30), context.RequestAborted);
        return Authority.Issue(Encoding.ASCII.GetString(csr.Span), host, Now).Pem;
    }

    private static async Task FloodAsync(Stream to, byte[] part, TimeSpan pause, CancellationToken stop)
    {
        while (true)
        {
            await to.WriteAsync(part, stop);
            await to.FlushAsync(stop);
            if (pause > TimeSpan.Zero) await Task.Delay(pause, stop);
        }
    }
}
