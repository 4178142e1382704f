using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Agent.Shell.Api;

/// <summary>
/// Kestrel alone, without a host, configuration or container around it, so nothing in the environment can make it
/// listen elsewhere.
/// </summary>
/// <param name="answer">Answers one request; its token falls when the server ends, so that long calls end too.</param>
internal sealed class HttpServer(
    KestrelServerOptions options, SocketTransportOptions transport, Func<HttpContext, CancellationToken, Task> answer)
    : IHttpApplication<HttpContext>, IAsyncDisposable
{
    // The longest headers of our callers are a few hundred bytes.
    private const int MaxHeaderBytes = 16 << 10;

    // A caller that takes this long to say what it wants is broken.
    private static readonly TimeSpan HeaderTimeout = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _ending = new();
    private readonly KestrelServer _server = new(
        Options.Create(options),
        new SocketTransportFactory(Options.Create(transport), NullLoggerFactory.Instance),
        NullLoggerFactory.Instance);

    /// <summary>Where it listens, once it was started.</summary>
    public IEnumerable<string> Addresses => _server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses;

    /// <summary>The bounds that every door of ours has.</summary>
    public static KestrelServerOptions Bounded(int connections, TimeSpan keepAlive)
    {
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MaxConcurrentConnections = connections;
        options.Limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
        options.Limits.RequestHeadersTimeout = HeaderTimeout;
        options.Limits.KeepAliveTimeout = keepAlive;

        // Each route has its own limit and counts what it reads; Kestrel would count the framing of chunks too.
        options.Limits.MaxRequestBodySize = null;
        return options;
    }

    public Task StartAsync(CancellationToken stop) => _server.StartAsync(this, stop);

    /// <summary>Takes no more connections, ends the long calls and lets the others finish.</summary>
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

    Task IHttpApplication<HttpContext>.ProcessRequestAsync(HttpContext context) => answer(context, _ending.Token);

    void IHttpApplication<HttpContext>.DisposeContext(HttpContext context, Exception? exception)
    {
        // The context holds nothing of its own.
    }
}
