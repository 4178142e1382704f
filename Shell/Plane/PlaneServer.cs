using System;
using System.Linq;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Api;
using Agent.Shell.Pki;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Agent.Shell.Plane;

/// <summary>The plane's door to the network: behind our TLS, on the one address it was told.</summary>
internal sealed class PlaneServer : IAsyncDisposable
{
    // Each host holds a question for work open and sends the rest over a second connection now and then.
    private const int MaxConnections = 250_000;

    // A fleet whose plane was away comes back at once; what waits here waits in the kernel.
    private const int Backlog = 4096;

    // The callers of a fleet come over the network and one by one; certificates say who they are.
    private static readonly Principal Nobody = new(uint.MaxValue);

    // Longer than the callers' own, so that a request seldom meets a connection that is being closed.
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(90);

    private readonly HttpServer _server;

    public PlaneServer(IPEndPoint listen, PlaneParts parts)
    {
        var router = new Router(PlaneRoutes.Of(parts), parts.Counters);
        _server = new HttpServer(
            Configure(listen, parts.Door),
            new SocketTransportOptions { Backlog = Backlog },
            (http, ending) => router.HandleAsync(http, Nobody, ending));
    }

    /// <summary>The address it answers on, once it was started; the port is the system's choice where 0 was asked for.</summary>
    public string Address => _server.Addresses.Single().Replace("http://", "https://", StringComparison.Ordinal);

    public Task StartAsync(CancellationToken stop) => _server.StartAsync(stop);

    public Task StopAsync(CancellationToken stop) => _server.StopAsync(stop);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static KestrelServerOptions Configure(IPEndPoint listen, ServerDoor door)
    {
        var options = HttpServer.Bounded(MaxConnections, KeepAlive);
        options.Listen(listen, endpoint =>
        {
            endpoint.Protocols = HttpProtocols.Http1;
            endpoint.Use(door.Accept);
        });
        return options;
    }
}
