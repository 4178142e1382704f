using System;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Shell.Api;
using Agent.Shell.Journal;
using Agent.Shell.Loop;
using Agent.Shell.Manifests;
using Agent.Shell.Observability;
using Microsoft.AspNetCore.Http;

namespace Agent.Tests.Support;

/// <summary>
/// The real server on a real socket over the real loop, with scripted processes. The client is root, as the test is;
/// another user is spoken for by handing a request to the router with that principal.
/// </summary>
internal sealed class ApiWorld : IAsyncDisposable, IRuntimeProbe, IStateDigest, IRolloutIntake, IPlane, IUpgrade
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("agent-api-");
    private readonly Router _router;

    public ApiWorld()
    {
        Host = new CoreHost(Keeper.Run);
        Parts = new ApiParts(
            "1.2.3", "here", Host, this, Output, Records, this, Keeper, this, Counters, () => true, this,
            new WallClock(() => Host.Now, Wall), this);
        Server = new ApiServer(SocketPath, Parts);
        _router = new Router(Server.Routes, Counters);
        Client = NewClient();
    }

    public ScriptedKeeper Keeper { get; } = new();

    public MemoryOutput Output { get; } = new();

    public MemoryRecords Records { get; } = new();

    public Counters Counters { get; } = new();

    /// <summary>None, unless a test says otherwise.</summary>
    public PlaneHealth? Plane { get; set; }

    public CoreHost Host { get; }

    public ApiParts Parts { get; }

    public ApiServer Server { get; }

    /// <summary>The machine's clock.</summary>
    public SetClock Wall { get; } = new();

    public HttpClient Client { get; }

    public string SocketPath => Path.Combine(_directory.FullName, "agent.sock");

    public (bool Ready, string Endpoint, string Detail) Engine { get; set; } = (false, "", "nobody answers");

    public int Probes { get; private set; }

    /// <summary>What becomes of a bundle.</summary>
    public Func<Bundle, IntakeResult> Intake { get; set; } = _ => new IntakeResult.Refused("no-trust", "nobody is trusted");

    public Task<IntakeResult> TakeAsync(Bundle bundle, Principal by, CancellationToken stop) => Task.FromResult(Intake(bundle));

    public static async Task<ApiWorld> StartAsync()
    {
        var world = new ApiWorld();
        await world.Server.StartAsync(CancellationToken.None);
        return world;
    }

#pragma warning disable CA2000 // The client disposes of its handler.
    public HttpClient NewClient() => new(new SocketsHttpHandler
    {
        UseProxy = false,
        ConnectCallback = async (_, stop) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath), stop);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    { BaseAddress = new Uri("http://agent"), Timeout = TimeSpan.FromSeconds(30) };
#pragma warning restore CA2000

    public async Task<(HttpStatusCode Status, string Body)> SendAsync(
        HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await Client.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public Task<(HttpStatusCode Status, string Body)> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<(HttpStatusCode Status, string Body)> PostAsync(string path, string body = "{}") =>
        SendAsync(HttpMethod.Post, path, body);

    public static T Read<T>(string body, JsonTypeInfo<T> type) => JsonSerializer.Deserialize(body, type)!;

    public static Problem ProblemOf(string body) => Read(body, WireJson.Default.Problem);

    /// <summary>Spawns and answers the process; fails with what the API said when that is no process.</summary>
    public async Task<ProcessInfo> SpawnAsync(string program = "/run", string more = "")
    {
        var (status, body) = await PostAsync("/v1/processes", $$"""{"command":["{{program}}"]{{more}}}""");
        return status == HttpStatusCode.Created
            ? Read(body, WireJson.Default.ProcessInfo)
            : throw new InvalidOperationException($"{status}: {body}");
    }

    /// <summary>What another user would be answered.</summary>
    public async Task<(int Status, string Body)> AskAsync(uint uid, string method, string path, string body = "")
    {
        var http = new DefaultHttpContext();
        http.Request.Method = method;
        var query = path.IndexOf('?', StringComparison.Ordinal);
        http.Request.Path = query < 0 ? path : path[..query];
        http.Request.QueryString = new QueryString(query < 0 ? "" : path[query..]);
        http.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body));
        using var answer = new MemoryStream();
        http.Response.Body = answer;
        await _router.HandleAsync(http, new Principal(uid), CancellationToken.None);
        return (http.Response.StatusCode, Encoding.UTF8.GetString(answer.ToArray()));
    }

    Task<(bool Ready, string Endpoint, string Detail)> IRuntimeProbe.ProbeAsync(CancellationToken stop)
    {
        Probes++;
        return Task.FromResult(Engine);
    }

    PlaneHealth? IPlane.Health => Plane;

    string IUpgrade.Program => "/opt/agent";

    string? IUpgrade.KeeperProgram => "/opt/agent";

    string? IUpgrade.Failure => null;

    Task<(UpgradeAnswer? Answer, UpgradeRefusal? Refusal)> IUpgrade.PrepareAsync(
        string? program, TimeSpan patience, CancellationToken stop) => Task.FromResult<(UpgradeAnswer?, UpgradeRefusal?)>(
            program == "/broken" ? (null, new(IsBusy: false, "it is broken"))
            : program == "/second" ? (null, new(IsBusy: true, "an upgrade is under way"))
            : (new(new("1.2.3", "/opt/agent"), new("1.2.4", program ?? "/opt/agent")), null));

    void IUpgrade.Begin()
    {
        // The world goes on as it is.
    }

    Task IPlane.AttachAsync() => Task.CompletedTask;

    string IStateDigest.Of(HostState state) => StateDigest.Of(state);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
        Host.Dispose();
        Records.Dispose();
        _directory.Delete(recursive: true);
    }
}
