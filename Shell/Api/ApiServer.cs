using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Linux;
using Agent.Shell.Loop;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Agent.Shell.Api;

/// <summary>
/// The local API: Kestrel alone on one Unix socket, without a host, configuration or container around it, so nothing
/// in the environment can make it listen elsewhere. Who connects is asked of the kernel once per connection.
/// </summary>
internal sealed class ApiServer : IHttpApplication<HttpContext>, IAsyncDisposable
{
    // A busy host has some dozens of followers; a thousand connections cost some MiB and no more.
    private const int MaxConnections = 1000;

    // The longest headers of a local client are a few hundred bytes.
    private const int MaxHeaderBytes = 16 << 10;

    // A local client that takes this long to say what it wants is broken.
    private static readonly TimeSpan HeaderTimeout = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan KeepAlive = TimeSpan.FromMinutes(2);

    private readonly CancellationTokenSource _ending = new();
    private readonly KestrelServer _server;
    private readonly string _path;
    private readonly Router _router;
    private bool _started;

    public ApiServer(string path, ApiParts parts)
    {
        _path = path;
        Routes = ApiRoutes.Of(parts);
        _router = new Router(Routes, parts.Counters);
        var transport = new SocketTransportOptions
        {
            CreateBoundListenSocket = SocketFile.Bind,
            Backlog = MaxConnections,
        };
        _server = new KestrelServer(
            Options.Create(Configure(path)),
            new SocketTransportFactory(Options.Create(transport), NullLoggerFactory.Instance),
            NullLoggerFactory.Instance);
    }

    public IReadOnlyList<Route> Routes { get; }

    /// <summary>Answers from here on. Throws if another agent answers at the path, or the path cannot be had.</summary>
    public async Task StartAsync(CancellationToken stop)
    {
        SocketFile.Clear(_path);
        await _server.StartAsync(this, stop);
        _started = true;
    }

    /// <summary>Takes no more connections, ends the long calls and lets the others finish.</summary>
    public async Task StopAsync(CancellationToken stop)
    {
        await _ending.CancelAsync();
        await _server.StopAsync(stop);
        if (_started) File.Delete(_path);
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
        _router.HandleAsync(context, context.Features.GetRequiredFeature<Peer>().Principal, _ending.Token);

    void IHttpApplication<HttpContext>.DisposeContext(HttpContext context, Exception? exception)
    {
        // The context holds nothing of its own.
    }

    private static KestrelServerOptions Configure(string path)
    {
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MaxConcurrentConnections = MaxConnections;
        options.Limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
        options.Limits.RequestHeadersTimeout = HeaderTimeout;
        options.Limits.KeepAliveTimeout = KeepAlive;

        // Each route has its own limit and counts what it reads; Kestrel would count the framing of chunks too.
        options.Limits.MaxRequestBodySize = null;

        // A reader of a long log may pause for as long as a person looks at it.
        options.Limits.MinResponseDataRate = null;
        options.ListenUnixSocket(path, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(Identify);
        });
        return options;
    }

    private static ConnectionDelegate Identify(ConnectionDelegate next) => connection =>
    {
        var socket = connection.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket;
        connection.Features.Set(new Peer(PeerCredentials.Of(socket)));
        return next(connection);
    };

    /// <summary>Who connected. Every request of the connection sees it among its features.</summary>
    private sealed record Peer(Principal Principal);
}
