using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Outbox;
using Agent.Shell.Api;
using Agent.Shell.Observability;
using Agent.Shell.Pki;

namespace Agent.Shell.Uplink;

/// <summary>
/// Asks a plane. Every answer is bounded in size and time and must be a plane's: whatever stands in the way (a proxy's
/// page, a redirect, an endless body) is a <see cref="PlaneFailure"/> that says so.
/// </summary>
internal sealed class PlaneClient : IDisposable
{
    // A line of 8 kbit/s brings twice that within the patience; who is slower keeps the host from newer work.
    private const int LeastPart = 4 << 10;

    private readonly HttpClient _http;

    /// <param name="handler">From <see cref="PlaneConnections"/>; the client owns it.</param>
    public PlaneClient(Uri plane, HttpMessageHandler handler)
    {
        PlaneConnections.CheckUrl(plane);
        Plane = plane;
        _http = new HttpClient(handler) { BaseAddress = plane, Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.Add(Protocol.VersionHeader, Protocol.Version);
    }

    /// <summary>What an answer that needs no work may take: a plane under load, a satellite link.</summary>
    public static TimeSpan Patience => TimeSpan.FromSeconds(10);

    public Uri Plane { get; }

    public void Dispose() => _http.Dispose();

    /// <summary>The answer, or null for 204.</summary>
    public async Task<T?> GetAsync<T>(string path, JsonTypeInfo<T> type, int maxBytes, TimeSpan within, CancellationToken stop)
        where T : class
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        return Read(await SendAsync(request, maxBytes, within, stop), type);
    }

    public async Task<T> PostAsync<TBody, T>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type, CancellationToken stop)
        where T : class => await PostAsync(path, JsonSerializer.SerializeToUtf8Bytes(body, bodyType), type, stop);

    public async Task<T> PostAsync<T>(string path, ReadOnlyMemory<byte> body, JsonTypeInfo<T> type, CancellationToken stop)
        where T : class
    {
        using var content = new ReadOnlyMemoryContent(body);
        content.Headers.ContentType = new("application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        return Read(await SendAsync(request, Protocol.MaxAnswerBytes, Patience, stop), type)
            ?? throw NoAnswer("it is empty");
    }

    /// <summary>Asks for something whose answer says no more than that it was done.</summary>
    public async Task PostAsync(string path, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        await SendAsync(request, Protocol.MaxAnswerBytes, Patience, stop);
    }

    /// <summary>A body as long as it is; how long that takes is the line's matter.</summary>
    public async Task UploadAsync(string path, Stream from, CancellationToken stop)
    {
        using var content = new StreamContent(from, 128 << 10);
        using var request = new HttpRequestMessage(HttpMethod.Put, path) { Content = content };
        await SendAsync(request, Protocol.MaxAnswerBytes, Timeout.InfiniteTimeSpan, stop);
    }

    /// <summary>Each line of a streamed answer, as it comes.</summary>
    public async IAsyncEnumerable<string> LinesAsync(string path, [EnumeratorCancellation] CancellationToken stop)
    {
        using var answer = await GuardAsync(async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            var streamed = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
            if (streamed.StatusCode == HttpStatusCode.OK) return streamed;
            using (streamed) throw await RefusedAsync(streamed, stop);
        }, stop);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(stop));
        while (await GuardAsync(() => lines.ReadLineAsync(stop).AsTask(), stop) is { } line) yield return line;
    }

    /// <summary>
    /// A body of a known length, written to a stream as it comes. A sender that brings less than 4 KiB within <see
    /// cref="Patience"/> is given up; how long the whole takes is the line's matter.
    /// </summary>
    public async Task DownloadAsync(string path, Stream to, long length, CancellationToken stop)
    {
        using var stalled = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await GuardAsync(async () =>
        {
            stalled.CancelAfter(Patience);
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stalled.Token);
            if (answer.StatusCode != HttpStatusCode.OK) throw await RefusedAsync(answer, stalled.Token);
            await using var body = await answer.Content.ReadAsStreamAsync(stalled.Token);
            var buffer = new byte[128 << 10];
            for (long done = 0, paid = 0; done < length;)
            {
                if (done >= paid)
                {
                    stalled.CancelAfter(Patience);
                    paid = done + LeastPart;
                }

                var read = await body.ReadAsync(buffer, stalled.Token);
                if (read == 0) throw NoAnswer($"{path} ended after {done} of {length} bytes");
                var wanted = (int)Math.Min(read, length - done);
                await WriteAsync(to, buffer.AsMemory(0, wanted), stop);
                done += wanted;
            }

            return 0;
        }, stop);
    }

    /// <summary>This side's own disk is not to be taken for the plane.</summary>
    private static async Task WriteAsync(Stream to, ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        try
        {
            await to.WriteAsync(bytes, stop);
        }
        catch (IOException failure)
        {
            throw new PlaneFailure(FailureKind.Unavailable, "disk", $"what it sends cannot be written here: {failure.Message}");
        }
    }

    private Task<ReadOnlyMemory<byte>?> SendAsync(
        HttpRequestMessage request, int maxBytes, TimeSpan within, CancellationToken stop) => GuardAsync(async () =>
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(within);
        using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
        if (!answer.IsSuccessStatusCode) throw await RefusedAsync(answer, limit.Token);
        if (answer.StatusCode == HttpStatusCode.NoContent) return default(ReadOnlyMemory<byte>?);
        if (answer.Content.Headers.ContentType?.MediaType is var media and not "application/json")
        {
            throw NoAnswer($"it is {media ?? "of no type"} where a plane says application/json; is something in between?");
        }

        return await BoundedBody.ReadAsync(answer.Content, maxBytes, within, limit.Token);
    }, stop);

    private static T? Read<T>(ReadOnlyMemory<byte>? body, JsonTypeInfo<T> type)
        where T : class
    {
        if (body is not { } bytes) return null;
        try
        {
            return JsonSerializer.Deserialize(bytes.Span, type) ?? throw NoAnswer("it is null");
        }
        catch (JsonException failure)
        {
            throw NoAnswer(failure.Message);
        }
    }

    /// <summary>Every way in which an exchange can fail, as one.</summary>
    private async Task<T> GuardAsync<T>(Func<Task<T>> exchange, CancellationToken stop)
    {
        try
        {
            return await exchange();
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new PlaneFailure(
                FailureKind.Unavailable, "plane-timeout", $"{Plane} did not answer in time, or too slowly; see to the network");
        }
        catch (HttpRequestException failure)
        {
            throw PkiRefused.Of(failure) is { } refused
                ? new PlaneFailure(FailureKind.Unavailable, PkiFaults.NameOf(refused.Fault), refused.Message)
                : new PlaneFailure(FailureKind.Unavailable, "plane-unreachable", $"{Plane}: {failure.GetBaseException().Message}");
        }
        catch (PkiRefused refused)
        {
            throw new PlaneFailure(FailureKind.Unavailable, PkiFaults.NameOf(refused.Fault), refused.Message);
        }
        catch (Exception failure) when (failure is IOException or SocketException)
        {
            throw new PlaneFailure(FailureKind.Unavailable, "plane-unreachable", $"{Plane} hung up: {failure.Message}");
        }
    }

    private static async Task<PlaneFailure> RefusedAsync(HttpResponseMessage answer, CancellationToken stop)
    {
        var status = (int)answer.StatusCode;
        var kind = status switch
        {
            401 or 403 => FailureKind.Unauthorized,
            413 => FailureKind.TooLarge,
            408 or 425 or 429 or < 400 or >= 500 => FailureKind.Unavailable,
            _ => FailureKind.Refused,
        };
        var retry = answer.Headers.RetryAfter;
        var wait = retry?.Delta ?? retry?.Date - DateTimeOffset.UtcNow;

        // Not a plane's word, so no item is judged by it.
        var unexplained = new PlaneFailure(
            kind == FailureKind.Refused ? FailureKind.Unavailable : kind, "plane-answer",
            $"HTTP {status} without a reason; is something in between?", wait, status);
        if (answer.Content.Headers.ContentType?.MediaType != Problem.MediaType) return unexplained;

        var body = await BoundedBody.ReadAsync(answer.Content, Protocol.MaxAnswerBytes, Patience, stop);
        try
        {
            var problem = JsonSerializer.Deserialize(body.Span, WireJson.Default.Problem);
            return problem?.Code is { Length: > 0 } code
                ? new PlaneFailure(kind, BoundedText.Reason(code), BoundedText.Reason($"{code}: {problem.Detail ?? problem.Title}"), wait, status)
                : unexplained;
        }
        catch (JsonException failure)
        {
            return new PlaneFailure(FailureKind.Unavailable, "plane-answer", $"HTTP {status}: {failure.Message}", wait, status);
        }
    }

    private static PlaneFailure NoAnswer(string why) => new(
        FailureKind.Unavailable, "plane-answer", $"that is no answer of a plane: {why}");
}
