using System;
using System.Linq;
using System.Net;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Time;
using Agent.Shell.Api;
using Agent.Shell.Pki;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Agent.Tests.Uplink;

/// <summary>Somebody with the plane's own certificate who answers whatever a test wants.</summary>
internal sealed class FalsePlane : IAsyncDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly HttpServer _server;

    public FalsePlane(Authority authority, Func<HttpContext, Task> answer)
    {
        Answer = answer;
        var door = new ServerDoor(authority, _ => false, () => new Instant(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(door.Accept);
        });
        _server = new HttpServer(options, new SocketTransportOptions(), (http, _) => AnswerAsync(http));
    }

    public Func<HttpContext, Task> Answer { get; set; }

    public Uri Url { get; private set; } = new("https://localhost");

    public async Task<FalsePlane> StartAsync()
    {
        await _server.StartAsync(CancellationToken.None);
        Url = new Uri($"https://localhost:{new Uri(_server.Addresses.Single()).Port}");
        return this;
    }

    public static Func<HttpContext, Task> Saying(int status, string type, string body, params (string, string)[] headers) =>
        async http =>
        {
            http.Response.StatusCode = status;
            http.Response.ContentType = type;
            foreach (var (name, value) in headers) http.Response.Headers[name] = value;
            await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(body));
        };

    public static Func<HttpContext, Task> Json(string body) => Saying(200, "application/json", body);

    /// <summary>The same bytes on and on, as long as somebody listens.</summary>
    public Func<HttpContext, Task> Flood(string type, int bytes, TimeSpan pause, long? length = null) => async http =>
    {
        http.Response.ContentType = type;
        http.Response.ContentLength = length;
        var part = new byte[bytes];
        part.AsSpan().Fill((byte)' ');
        using var either = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, _ending.Token);
        while (true)
        {
            await http.Response.Body.WriteAsync(part, either.Token);
            await http.Response.Body.FlushAsync(either.Token);
            if (pause > TimeSpan.Zero) await Task.Delay(pause, either.Token);
        }
    };

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        using (var soon = new CancellationTokenSource(TimeSpan.FromSeconds(5))) await _server.StopAsync(soon.Token);
        await _server.DisposeAsync();
        _ending.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        try
        {
            await Answer(context);
        }
        catch (Exception gone) when (gone is OperationCanceledException or System.IO.IOException)
        {
            context.Abort();
        }
    }
}
