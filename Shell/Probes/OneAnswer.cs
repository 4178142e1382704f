using System;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Docker;

namespace Agent.Shell.Probes;

/// <summary>
/// One GET on a connection of its own, and as much of the answer as is wanted. What answered on an older connection
/// proves nothing, and what the answer points to is not what was asked for.
/// </summary>
internal static class OneAnswer
{
    /// <summary>
    /// Asks over TCP or, where <paramref name="socket"/> is given, over that Unix socket. The answer is there with
    /// its head. Throws HttpRequestException, or OperationCanceledException at the limit.
    /// </summary>
    public static async Task<HttpResponseMessage> GetAsync(Uri address, string? socket, CancellationToken limit)
    {
        using var client = new HttpMessageInvoker(Handler(socket));
        using var request = new HttpRequestMessage(HttpMethod.Get, address) { Version = HttpVersion.Version11 };
        request.Headers.ConnectionClose = true;
        request.Headers.UserAgent.Add(new("agent-probe", null));
        return await client.SendAsync(request, limit).ConfigureAwait(false);
    }

    /// <summary>Fills the buffer as far as the body goes; answers the bytes read.</summary>
    public static async Task<int> FillAsync(HttpResponseMessage answer, Memory<byte> buffer, CancellationToken limit)
    {
        var body = await answer.Content.ReadAsStreamAsync(limit).ConfigureAwait(false);
        await using var closed = body.ConfigureAwait(false);
        return await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, limit)
            .ConfigureAwait(false);
    }

    private static SocketsHttpHandler Handler(string? socket)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ActivityHeadersPropagator = null,

            // An answer given up is cut off: the rest of an endless one is not read to keep the connection.
            MaxResponseDrainSize = 0,
            SslOptions = new SslClientAuthenticationOptions
            {
                // A certificate may name further addresses to fetch from. A probe asks the one that it was given.
                CertificateChainPolicy = new X509ChainPolicy
                {
                    DisableCertificateDownloads = true,
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            },
        };
        if (socket is not null) handler.ConnectCallback = (_, limit) => EngineSocket.ConnectAsync(socket, limit);
        return handler;
    }
}
