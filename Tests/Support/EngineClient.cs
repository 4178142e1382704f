using System;
using System.Diagnostics.CodeAnalysis;
using System.Formats.Tar;
using System.IO;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

namespace Agent.Tests.Support;

/// <summary>The few engine calls that tests need, with its answers taken at their word.</summary>
internal sealed class EngineClient : IDisposable
{
    private readonly SocketsHttpHandler _handler;
    private readonly HttpClient _http;

    public EngineClient(string socket)
    {
        _handler = new SocketsHttpHandler { ConnectCallback = (_, stop) => ConnectAsync(socket, stop) };
        _http = new HttpClient(_handler) { BaseAddress = new Uri("http://engine/") };
    }

    /// <summary>An image of nothing but /bin/sh, made here: no registry is asked.</summary>
    public async Task ImportBusyboxAsync(string reference)
    {
        using var tar = new MemoryStream();
        await using (var writer = new TarWriter(tar, leaveOpen: true))
        {
            await writer.WriteEntryAsync("/bin/busybox", "bin/busybox");
            foreach (var name in (string[])["bin/sh", "bin/sleep"])
            {
                var link = new PaxTarEntry(TarEntryType.SymbolicLink, name) { LinkName = "busybox" };
                await writer.WriteEntryAsync(link);
            }
        }

        tar.Position = 0;
        using var content = new StreamContent(tar);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-tar");
        var parts = reference.Split(':');
        var uri = new Uri($"images/create?fromSrc=-&repo={parts[0]}&tag={parts[1]}", UriKind.Relative);
        using var answer = await _http.PostAsync(uri, content);
        await Expect(answer);
    }

    /// <summary>Starts a shell script in a container without network and gives the container's id.</summary>
    public async Task<string> StartAsync(string image, string script)
    {
        var body = $$"""
            {
              "Image": "{{image}}",
              "Cmd": ["/bin/sh", "-c", "{{script}}"],
              "Tty": true,
              "HostConfig": { "NetworkMode": "none" }
            }
            """;
        using var created = await PostAsync("containers/create", body);
        using var document = JsonDocument.Parse(await Expect(created));
        var id = document.RootElement.GetProperty("Id").GetString()!;
        using var started = await PostAsync($"containers/{id}/start", "");
        await Expect(started);
        return id;
    }

    /// <summary>Runs the script to its end and gives what it printed.</summary>
    public async Task<string> RunAsync(string image, string script)
    {
        var id = await StartAsync(image, script);
        using var ended = await PostAsync($"containers/{id}/wait", "");
        await Expect(ended);
        using var logs = await _http.GetAsync(new Uri($"containers/{id}/logs?stdout=1", UriKind.Relative));
        var text = await Expect(logs);
        await RemoveAsync(id);
        return text.ReplaceLineEndings("\n");
    }

    public async Task<int> PidOfAsync(string id)
    {
        using var answer = await _http.GetAsync(new Uri($"containers/{id}/json", UriKind.Relative));
        using var document = JsonDocument.Parse(await Expect(answer));
        return document.RootElement.GetProperty("State").GetProperty("Pid").GetInt32();
    }

    public async Task RemoveAsync(string id)
    {
        using var answer = await _http.DeleteAsync(new Uri($"containers/{id}?force=1", UriKind.Relative));
        await Expect(answer);
    }

    /// <summary>Whoever made them: an engine that ends leaves its bridges, and the machine has addresses for 31.</summary>
    public async Task RemoveNetworksAsync()
    {
        using var unused = await PostAsync("networks/prune", "");
        await Expect(unused);
    }

    public void Dispose()
    {
        _http.Dispose();
        _handler.Dispose();
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "the stream owns the socket, and the client the stream")]
    private static async ValueTask<Stream> ConnectAsync(string socket, CancellationToken stop)
    {
        var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), stop);
        return new NetworkStream(connection, ownsSocket: true);
    }

    private async Task<HttpResponseMessage> PostAsync(string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        return await _http.PostAsync(new Uri(path, UriKind.Relative), content);
    }

    private static async Task<string> Expect(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? text : throw new InvalidOperationException($"{answer.StatusCode}: {text}");
    }
}
