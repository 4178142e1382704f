using System;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Api;
using Agent.Shell.Observability;
using Agent.Shell.Pki;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Agent.Shell.Plane;

/// <summary>The plane's door to the network: Kestrel alone behind our TLS, on the one address it was told.</summary>
internal sealed class PlaneServer : IHttpApplication<HttpContext>, IAsyncDisposable
{
    // Each host holds a question for work open and sends the rest over a second connection now and then.
    private const int MaxConnections = 250_000;

    private const int MaxHeaderBytes = 16 << 10;

    // The callers of a fleet come over the network and one by one; certificates say who they are.
    private static readonly Principal Nobody = new(uint.MaxValue);

    private static readonly TimeSpan HeaderTimeout = TimeSpan.FromSeconds(10);

    // Longer than the callers' own, so that a request seldom meets a connection that is being closed.
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(90);

    private readonly CancellationTokenSource _ending = new();
    private readonly KestrelServer _server;
    private readonly Router _router;
    private readonly KestrelServerOptions _options;

    public PlaneServer(IPEndPoint listen, PlaneParts parts)
    {
        _router = new Router(PlaneRoutes.Of(parts), parts.Counters);
        _options = Configure(listen, parts.Door);
        _server = new KestrelServer(
            Options.Create(_options),
            new SocketTransportFactory(Options.Create(new SocketTransportOptions { Backlog = 4096 }), NullLoggerFactory.Instance),
            NullLoggerFactory.Instance);
    }

    /// <summary>The address it answers on; the port is the system's choice where 0 was asked for.</summary>
    public string Address { get; private set; } = "";

    public async Task StartAsync(CancellationToken stop)
    {
        await _server.StartAsync(this, stop);
        foreach (var address in _server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses)
        {
            Address = address.Replace("http://", "https://", StringComparison.Ordinal);
        }
    }

    public async Task StopAsync(CancellationToken stop)
    {
        await _ending.CancelAsync();
        await _server.StopAsync(stop);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _server.Dispose();
        _ending.Dispose();
    }

    HttpContext IHttpApplication<HttpContext>.CreateContext(IFeatureCollection contextFeatures) =>
        new DefaultHttpContext(contextFeatures);

    Task IHttpApplication<HttpContext>.ProcessRequestAsync(HttpContext context) =>
        _router.HandleAsync(context, Nobody, _ending.Token);

    void IHttpApplication<HttpContext>.DisposeContext(HttpContext context, Exception? exception)
    {
        // The context holds nothing of its own.
    }

    private static KestrelServerOptions Configure(IPEndPoint listen, ServerDoor door)
    {
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MaxConcurrentConnections = MaxConnections;
        options.Limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
        options.Limits.RequestHeadersTimeout = HeaderTimeout;
        options.Limits.KeepAliveTimeout = KeepAlive;

        // Each route has its own limit and counts what it reads. A body that drips is cut off by Kestrel's own rate.
        options.Limits.MaxRequestBodySize = null;
        options.Listen(listen, endpoint =>
        {
            endpoint.Protocols = HttpProtocols.Http1;
            endpoint.Use(door.Accept);
        });
        return options;
    }
}
