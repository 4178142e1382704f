using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Linux;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Agent.Shell.Api;

/// <summary>The local API on its one Unix socket. Who connects is asked of the kernel once per connection.</summary>
internal sealed class ApiServer : IAsyncDisposable
{
    // A busy host has some dozens of followers; a thousand connections cost some MiB and no more.
    private const int MaxConnections = 1000;

    // Of one user, so that none takes them all from the others.
    private const int MaxOfAUser = 64;

    // For root alone: whoever else is there, the operator gets through.
    private const int KeptForRoot = 100;

    private static readonly TimeSpan KeepAlive = TimeSpan.FromMinutes(2);

    private readonly HttpServer _server;
    private readonly string _path;
    private bool _started;

    public ApiServer(string path, ApiParts parts)
    {
        _path = path;
        Routes = ApiRoutes.Of(parts);
        var router = new Router(Routes, parts.Counters);
        var transport = new SocketTransportOptions
        {
            CreateBoundListenSocket = SocketFile.Bind,
            Backlog = MaxConnections,
        };
        _server = new HttpServer(
            Configure(path),
            transport,
            (http, ending) => router.HandleAsync(http, http.Features.GetRequiredFeature<Peer>().Principal, ending));
    }

    public IReadOnlyList<Route> Routes { get; }

    /// <summary>Answers from here on. Throws if another agent answers at the path, or the path cannot be had.</summary>
    public async Task StartAsync(CancellationToken stop)
    {
        SocketFile.Clear(_path);
        await _server.StartAsync(stop);
        _started = true;
    }

    public async Task StopAsync(CancellationToken stop)
    {
        await _server.StopAsync(stop);
        if (_started) File.Delete(_path);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static KestrelServerOptions Configure(string path)
    {
        var options = HttpServer.Bounded(MaxConnections, KeepAlive);

        // A reader of a long log may pause for as long as a person looks at it.
        options.Limits.MinResponseDataRate = null;
        options.ListenUnixSocket(path, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(new Door().Admit);
        });
        return options;
    }

    /// <summary>Asks the kernel who connects, and counts whom it admits.</summary>
    private sealed class Door
    {
        private readonly ConcurrentDictionary<uint, int> _admitted = new();
        private int _others;

        public ConnectionDelegate Admit(ConnectionDelegate next) => async connection =>
        {
            var socket = connection.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket;
            var principal = PeerCredentials.Of(socket);
            connection.Features.Set(new Peer(principal));
            if (principal.IsRoot)
            {
                await next(connection);
                return;
            }

            var ofUser = _admitted.AddOrUpdate(principal.Uid, 1, (_, count) => count + 1);
            var others = Interlocked.Increment(ref _others);
            try
            {
                if (ofUser <= MaxOfAUser && others <= MaxConnections - KeptForRoot) await next(connection);
                else connection.Abort(new ConnectionAbortedException($"user {principal.Uid} has too many connections"));
            }
            finally
            {
                Interlocked.Decrement(ref _others);
                if (_admitted.AddOrUpdate(principal.Uid, 0, (_, count) => count - 1) == 0) _admitted.TryRemove(new(principal.Uid, 0));
            }
        };
    }

    /// <summary>Who connected. Every request of the connection sees it among its features.</summary>
    private sealed record Peer(Principal Principal);
}
