using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Agent.Tests.EndToEnd;

/// <summary>
/// A socket in front of a real engine. It writes down what is asked, holds what a test wants held, and changes answers. A
/// call is told as its method and its path, with the uid in the place of the engine's id: `POST /containers/web/start`,
/// `POST /containers/create web`, `POST /images/create tiny:1`, `GET /containers/json` for a whole list.
/// </summary>
internal sealed class EngineProxy : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    private readonly string _folder = Directory.CreateTempSubdirectory("engine-proxy.").FullName;
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentDictionary<string, string> _uids = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (TaskCompletionSource Came, TaskCompletionSource Free)> _held = new();
    private readonly HttpServer _server;
    private readonly HttpMessageInvoker _engine;

    private EngineProxy(string engine)
    {
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MaxRequestBodySize = null;
        options.ListenUnixSocket(Socket, listen => listen.Protocols = HttpProtocols.Http1);
        _server = new HttpServer(options, new SocketTransportOptions(), (http, _) => AnswerAsync(http));
        _engine = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            ConnectCallback = async (_, stop) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(engine), stop);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
    }

    public string Socket => Path.Combine(_folder, "s");

    /// <summary>All calls in the order in which they came.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    /// <summary>What is answered in the place of the engine's own account of a container, by its uid.</summary>
    public Func<string, JsonNode, JsonNode> Account { get; set; } = (_, account) => account;

    /// <summary>Calls that change something on the engine.</summary>
    public IReadOnlyList<string> Changes => [.. Asked.Where(call => !call.StartsWith("GET ", StringComparison.Ordinal))];

    public static async Task<EngineProxy> OpenAsync(string engine)
    {
        var proxy = new EngineProxy(engine);
        await proxy._server.StartAsync(CancellationToken.None);
        return proxy;
    }

    /// <summary>From now on these calls come no further, until they are let go.</summary>
    public void Hold(params string[] calls)
    {
        foreach (var call in calls) _held[call] = (new(), new());
    }

    public Task HeldAsync(string call) => _held[call].Came.Task.WaitAsync(Patience);

    public void LetGo()
    {
        foreach (var call in _held.Keys)
        {
            if (_held.TryRemove(call, out var hold)) hold.Free.TrySetResult();
        }
    }

    public async ValueTask DisposeAsync()
    {
        LetGo();
        await _ending.CancelAsync();
        using (var soon = new CancellationTokenSource(TimeSpan.FromSeconds(5))) await _server.StopAsync(soon.Token);
        await _server.DisposeAsync();
        _engine.Dispose();
        _ending.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task AnswerAsync(HttpContext http)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, _ending.Token);
        var call = NameOf(http.Request);
        Asked.Enqueue(call);
        try
        {
            if (_held.TryGetValue(call, out var hold))
            {
                hold.Came.TrySetResult();
                await hold.Free.Task.WaitAsync(over.Token);
            }

            await PassAsync(http, call, over.Token);
        }
        catch (Exception end) when (end is OperationCanceledException or IOException or HttpRequestException)
        {
            // One side is gone, or the test is over.
            http.Abort();
        }
    }

    private async Task PassAsync(HttpContext http, string call, CancellationToken stop)
    {
        var asked = http.Request;
        var address = new Uri($"http://engine{asked.Path}{asked.QueryString}");
        using var question = new HttpRequestMessage(new HttpMethod(asked.Method), address);
        if (asked.ContentLength > 0 || asked.Headers.TransferEncoding.Count > 0)
        {
            question.Content = new StreamContent(asked.Body);
            if (asked.ContentType is { } type) question.Content.Headers.Add("Content-Type", type);
        }

        using var answer = await _engine.SendAsync(question, stop);
        http.Response.StatusCode = (int)answer.StatusCode;
        if (answer.Content.Headers.ContentType is { } kind) http.Response.ContentType = kind.ToString();
        await using var body = await answer.Content.ReadAsStreamAsync(stop);
        if (answer.IsSuccessStatusCode && Rewrite(call) is { } rewrite)
        {
            using var reader = new StreamReader(body);
            await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(rewrite(await reader.ReadToEndAsync(stop))), stop);
            return;
        }

        await http.Response.StartAsync(stop);
        var part = new byte[16 << 10];
        while (await body.ReadAsync(part, stop) is > 0 and var count)
        {
            await http.Response.Body.WriteAsync(part.AsMemory(0, count), stop);
            await http.Response.Body.FlushAsync(stop);
        }
    }

    /// <summary>What is done to an answer as a whole; null where it goes on as it comes.</summary>
    private Func<string, string>? Rewrite(string call)
    {
        const string Create = "POST /containers/create ", Account = "GET /containers/";
        if (call.StartsWith(Create, StringComparison.Ordinal))
        {
            return made =>
            {
                _uids[(string)JsonNode.Parse(made)!["Id"]!] = call[Create.Length..];
                return made;
            };
        }

        return call.StartsWith(Account, StringComparison.Ordinal) && call.EndsWith("/json", StringComparison.Ordinal)
            ? account => this.Account(call.Split('/')[2], JsonNode.Parse(account)!).ToJsonString()
            : null;
    }

    private string NameOf(HttpRequest asked)
    {
        var parts = asked.Path.Value!.Split('/').Skip(1).SkipWhile(part => part.StartsWith("v1.", StringComparison.Ordinal))
            .Select(part => _uids.GetValueOrDefault(part, part));
        var call = $"{asked.Method} /{string.Join('/', parts)}";
        return call switch
        {
            // A name is `agent-`, eight digits, and the uid.
            "POST /containers/create" => $"{call} {string.Join('-', asked.Query["name"].ToString().Split('-').Skip(2))}",
            "POST /images/create" => $"{call} {asked.Query["fromImage"]}:{asked.Query["tag"]}",
            "GET /containers/json" when asked.Query["filters"].ToString().Contains("agent.uid=", StringComparison.Ordinal) =>
                "GET /containers/json of one",
            _ => call,
        };
    }
}
