using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;

namespace Agent.Shell.Cli;

/// <summary>Asks the agent over its socket. A refusal is a <see cref="CommandFailure"/> with its exit code.</summary>
internal sealed class ApiClient : IDisposable
{
    private readonly HttpClient _http;

    public ApiClient(string socket)
    {
        Socket = Places.Fitting(socket);
        _http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ConnectCallback = async (_, stop) =>
            {
                var connection = new System.Net.Sockets.Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), stop).ConfigureAwait(false);
                return new NetworkStream(connection, ownsSocket: true);
            },
        })
        {
            BaseAddress = new Uri("http://agent"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    public string Socket { get; }

    public void Dispose() => _http.Dispose();

    /// <summary>The answer as the agent wrote it.</summary>
    public async Task<string> TextAsync(string path, CancellationToken stop)
    {
        using var answer = await SendAsync(HttpMethod.Get, path, null, stop).ConfigureAwait(false);
        return await answer.Content.ReadAsStringAsync(stop).ConfigureAwait(false);
    }

    public async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken stop)
    {
        using var answer = await SendAsync(HttpMethod.Get, path, null, stop).ConfigureAwait(false);
        return await ReadAsync(answer, type, stop).ConfigureAwait(false);
    }

    public async Task<T> PostAsync<TBody, T>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type, CancellationToken stop)
    {
        using var answer = await PostAsync(path, body, bodyType, stop).ConfigureAwait(false);
        return await ReadAsync(answer, type, stop).ConfigureAwait(false);
    }

    public Task<HttpResponseMessage> PostAsync<TBody>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, CancellationToken stop)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, bodyType));
        content.Headers.ContentType = new("application/json");
        return SendAsync(HttpMethod.Post, path, content, stop);
    }

    /// <summary>The answer with its headers read and its body still to come; an error answer is a failure already.</summary>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, HttpContent? content, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        HttpResponseMessage answer;
        try
        {
            answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop).ConfigureAwait(false);
        }
        catch (HttpRequestException failure) when (failure.InnerException is SocketException)
        {
            throw NoAgent(((SocketException)failure.InnerException).SocketErrorCode);
        }

        if (answer.IsSuccessStatusCode) return answer;
        using (answer) throw await RefusedAsync(answer, stop).ConfigureAwait(false);
    }

    /// <summary>Each line of a streamed answer, as it comes.</summary>
    public async IAsyncEnumerable<string> LinesAsync(
        string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        using var answer = await SendAsync(HttpMethod.Get, path, null, stop).ConfigureAwait(false);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(stop).ConfigureAwait(false));
        while (await lines.ReadLineAsync(stop).ConfigureAwait(false) is { } line) yield return line;
    }

    /// <summary>The process that a person means: by id, by the beginning of one id (four characters at least), or by label.</summary>
    public async Task<ProcessInfo> FindAsync(string name, CancellationToken stop)
    {
        const int ShortestPrefix = 4;
        var all = await GetAsync("/v1/processes", WireJson.Default.IReadOnlyListProcessInfo, stop).ConfigureAwait(false);
        if (all.FirstOrDefault(one => one.Id == name) is { } exact) return exact;
        var labelled = all.Where(one => one.Label == name).ToList();
        if (labelled.Count > 1) labelled = [.. labelled.Where(one => one.Phase != "exited").DefaultIfEmpty(labelled[^1])];
        var meant = labelled.Count > 0 ? labelled
            : name.Length >= ShortestPrefix ? all.Where(one => one.Id.StartsWith(name, StringComparison.Ordinal)).ToList()
            : [];
        return meant.Count switch
        {
            1 => meant[0],
            0 => throw new CommandFailure(ExitCodes.NotFound, $"no process {name}; `agent ps` lists them"),
            _ => throw new CommandFailure(ExitCodes.Usage, $"{name} may be {Candidates(meant)}; name one by its id"),
        };
    }

    private static string Candidates(IReadOnlyList<ProcessInfo> meant) =>
        string.Join(", ", meant.Select(one => $"{one.Id} ({Screen.Clean(one.Label)})"));

    private static async Task<T> ReadAsync<T>(HttpResponseMessage answer, JsonTypeInfo<T> type, CancellationToken stop)
    {
        await using var body = await answer.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        return await JsonSerializer.DeserializeAsync(body, type, stop).ConfigureAwait(false)
            ?? throw new CommandFailure("the agent's answer is empty");
    }

    private static async Task<CommandFailure> RefusedAsync(HttpResponseMessage answer, CancellationToken stop)
    {
        var text = await answer.Content.ReadAsStringAsync(stop).ConfigureAwait(false);
        if (answer.Content.Headers.ContentType?.MediaType != Problem.MediaType)
        {
            return new($"HTTP {(int)answer.StatusCode}: {Screen.Clean(text)}");
        }

        var problem = JsonSerializer.Deserialize(text, WireJson.Default.Problem)!;
        var code = answer.StatusCode switch
        {
            HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge => ExitCodes.Usage,
            HttpStatusCode.NotFound => ExitCodes.NotFound,
            HttpStatusCode.Forbidden => ExitCodes.NotAllowed,
            HttpStatusCode.RequestTimeout => ExitCodes.TimedOut,
            HttpStatusCode.ServiceUnavailable => ExitCodes.NoAgent,
            _ => ExitCodes.Failed,
        };
        var field = problem.Field is { } named ? $"{named}: " : "";
        return new(code, $"{problem.Code}: {field}{CleanLines(problem.Detail ?? problem.Title)}") { Code = problem.Code };
    }

    /// <summary>Paths and words in it may be another user's choice.</summary>
    private static string CleanLines(string text) => string.Join('\n', text.Split('\n').Select(Screen.Clean));

    private CommandFailure NoAgent(SocketError error)
    {
        if (error == SocketError.AccessDenied)
        {
            return new(ExitCodes.NotAllowed, $"you may not open {Socket}; ask as root, or as the user that runs the agent");
        }

        var why = File.Exists(Socket) ? "nobody listens there" : "there is no such socket";
        return new(
            ExitCodes.NoAgent,
            $"no agent answers on {Socket}, {why}; start one with `agent run`, or name its socket with --socket or AGENT_SOCKET");
    }
}
