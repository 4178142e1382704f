using System;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Docker;
using Agent.Shell.Linux;

namespace Agent.Shell.Containers.Engine;

/// <summary>
/// HTTP calls to an engine over its Unix socket: each bounded in time and size, each failure a
/// <see cref="ContainerException"/> with the engine's message.
/// </summary>
internal sealed class EngineHttp : IDisposable
{
    /// <summary>Passes are further apart; a connection kept longer may lead to an engine that is gone.</summary>
    private static readonly TimeSpan KeptConnection = TimeSpan.FromSeconds(5);

    private readonly string _socket;
    private readonly HttpMessageInvoker _http;
    private readonly CancellationTokenSource _leaving = new();

    public EngineHttp(string socket)
    {
        _socket = socket;
        Left = _leaving.Token;
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            // Connections are not limited: each call is an item's own, and a hung one must not hold up another.
            ConnectCallback = (_, limit) => ConnectAsync(limit),
            PooledConnectionIdleTimeout = KeptConnection,
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ActivityHeadersPropagator = null,
            MaxResponseDrainSize = 0,
        });
    }

    /// <summary>
    /// Whoever listens is in our own pid namespace. That alone does not make the engine's process ids ours: it may be a
    /// tunnel's near end.
    /// </summary>
    public bool SharesProcessIds { get; private set; }

    /// <summary>Disposed: what goes on ends.</summary>
    public CancellationToken Left { get; }

    /// <summary>An answer that is JSON, as a whole.</summary>
    public async Task<JsonDocument> JsonAsync(
        HttpMethod method, string path, HttpContent? content, TimeSpan limit, int most, CancellationToken stop)
    {
        using var within = new CallLimit($"{method} {path}", limit, stop);
        return await within.RunAsync(async token =>
        {
            using var answer = await SendAsync(method, path, content, token).ConfigureAwait(false);
            return JsonDocument.Parse(await BodyAsync(answer, most, token).ConfigureAwait(false));
        }).ConfigureAwait(false);
    }

    /// <summary>A call whose answer says no more than that it was done.</summary>
    public async Task DoAsync(HttpMethod method, string path, TimeSpan limit, CancellationToken stop)
    {
        using var within = new CallLimit($"{method} {path}", limit, stop);
        await within.RunAsync(async token =>
        {
            using var answer = await SendAsync(method, path, null, token).ConfigureAwait(false);
            return true;
        }).ConfigureAwait(false);
    }

    /// <summary>
    /// An answer that goes on. The limit is the caller's, made with <see cref="Left"/>: it ends the answer, and holds for
    /// its head.
    /// </summary>
    public async Task<EngineStream> OpenAsync(
        HttpMethod method, string path, HttpContent? content, CallLimit limit, RegistryLogin? login = null)
    {
        var answer = await limit.RunAsync(token => SendAsync(method, path, content, token, login)).ConfigureAwait(false);
        var body = await limit.RunAsync(token => answer.Content.ReadAsStreamAsync(token)).ConfigureAwait(false);
        return new EngineStream(answer, body, limit);
    }

    /// <summary>An answer that goes on would outlive its connection's owner: whoever reads it ends it.</summary>
    public void Dispose()
    {
        if (Left.IsCancellationRequested) return;
        _leaving.Cancel();
        _leaving.Dispose();
        _http.Dispose();
    }

    private async ValueTask<Stream> ConnectAsync(CancellationToken limit)
    {
        var socket = await EngineSocket.OpenAsync(_socket, limit).ConfigureAwait(false);
        SharesProcessIds = Processes.SharesIds(PeerCredentials.ProcessOf(socket));
        return new NetworkStream(socket, ownsSocket: true);
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, HttpContent? content, CancellationToken limit, RegistryLogin? login = null)
    {
        var address = new Uri("http://engine" + path);
        using var request = new HttpRequestMessage(method, address) { Version = HttpVersion.Version11, Content = content };
        if (login is not null) request.Headers.Add("X-Registry-Auth", login.Header());
        var answer = await _http.SendAsync(request, limit).ConfigureAwait(false);

        // What is so already is as good as done: 304 to a start of one that runs, or a stop of one that does not.
        if (answer.IsSuccessStatusCode || answer.StatusCode == HttpStatusCode.NotModified) return answer;
        using (answer)
        {
            var text = await BodyAsync(answer, EngineLimits.ErrorBytes, limit).ConfigureAwait(false);
            throw new ContainerException(FaultOf(answer.StatusCode), EngineError.Read(text, (int)answer.StatusCode));
        }
    }

    private static ContainerFault FaultOf(HttpStatusCode status) => (int)status switch
    {
        404 => ContainerFault.NotFound,
        409 => ContainerFault.Conflict,
        >= 400 and < 500 => ContainerFault.Refused,
        >= 500 => ContainerFault.Failed,
        _ => ContainerFault.Garbage,
    };

    private static async Task<ReadOnlyMemory<byte>> BodyAsync(HttpResponseMessage answer, int most, CancellationToken limit)
    {
        var body = await answer.Content.ReadAsStreamAsync(limit).ConfigureAwait(false);
        await using var closed = body.ConfigureAwait(false);
        using var whole = new MemoryStream();
        var part = new byte[Math.Min(most, 16 << 10)];
        while (await body.ReadAsync(part, limit).ConfigureAwait(false) is > 0 and var count)
        {
            if (whole.Length + count > most)
            {
                throw new ContainerException(ContainerFault.Garbage, $"the engine's answer is larger than {most} bytes");
            }

            await whole.WriteAsync(part.AsMemory(0, count), limit).ConfigureAwait(false);
        }

        return whole.GetBuffer().AsMemory(0, (int)whole.Length);
    }
}
