using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Time;
using Agent.Shell.Pki;
using Agent.Shell.Uplink;
using Agent.Tests.EndToEnd;
using Xunit;

namespace Agent.Tests.Fleet;

/// <summary>
/// A real plane, as an operator would run it: killed and started again it answers at the same address. Its journal, its
/// authority and its published directory lie apart, so that one can be lost without the others.
/// </summary>
internal sealed partial class PlaneUnderTest : IDisposable
{
    /// <summary>A start under load, or a host that was just about to ask again.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private const int SigTerm = 15;

    private readonly string _trust;
    private readonly int _port = FreePort();
    private readonly StringBuilder _said = new();
    private PlaneClient? _operator;
    private Process? _process;

    public PlaneUnderTest(string trust) => _trust = trust;

    public string Home { get; } = Directory.CreateTempSubdirectory("plane-e2e.").FullName;

    public string State => Path.Combine(Home, "state");

    public string Journal => Path.Combine(State, "journal");

    public string Published => Path.Combine(Home, "published");

    public string Identity => Path.Combine(AuthorityDir, "operator.pem");

    public Uri Url => new($"https://127.0.0.1:{_port}");

    /// <summary>The first operator, in this process.</summary>
    public PlaneClient Operator => _operator ??= new PlaneClient(Url, OperatorIdentity.Load(Identity).Handler(Clock));

    private string AuthorityDir => Path.Combine(Home, "authority");

    public static Instant Clock() => new(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());

    public async Task<PlaneUnderTest> SetUpAsync()
    {
        var (code, _, error) = await AgentUnderTest.RunAsync(
            "plane", "init", "--state-dir", State, "--authority-dir", AuthorityDir, "--name", "127.0.0.1");
        Assert.True(code == 0, error);
        return this;
    }

    public async Task StartAsync()
    {
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var start = new ProcessStartInfo(AgentUnderTest.Binary)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (var word in (string[])[
            "plane", "run", "--state-dir", State, "--authority-dir", AuthorityDir, "--published", Published,
            "--trust", _trust, "--listen", $"127.0.0.1:{_port}", "--log", "human"])
        {
            start.ArgumentList.Add(word);
        }

        _process?.Dispose();
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) => Note(line.Data, ready);
        _process.OutputDataReceived += (_, line) => Note(line.Data, ready);
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        var first = await Task.WhenAny(ready.Task, _process.WaitForExitAsync()).WaitAsync(Patience);
        Assert.True(first == ready.Task, $"the plane ended at once:\n{Said}");
    }

    public string Said
    {
        get
        {
            lock (_said) return _said.ToString();
        }
    }

    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
    }

    /// <summary>Ends it as asked; answers the last seq and the state's digest, as it says them itself.</summary>
    public async Task<(long Seq, string Digest)> EndAsync()
    {
        Assert.Equal(0, Native.Kill(_process!.Id, SigTerm));
        using var patience = new CancellationTokenSource(Patience);
        await _process.WaitForExitAsync(patience.Token);
        Assert.Equal(0, _process.ExitCode);
        var ended = Ended().Matches(Said).Last();
        return (long.Parse(ended.Groups["seq"].ValueSpan), ended.Groups["digest"].Value);
    }

    public async Task<FleetInfo> FleetAsync() => (await Operator.GetAsync(
        Protocol.Fleet, PlaneAnswers.Default.FleetInfo, Protocol.MaxDispatchBytes, PlaneClient.Patience,
        CancellationToken.None))!;

    /// <summary>The agent's own command line, asking this plane as its operator.</summary>
    public Task<(int Code, string Out, string Error)> AskAsync(params string[] arguments) =>
        AgentUnderTest.RunAsync(["fleet", .. arguments, "--plane", Url.ToString(), "--identity", Identity]);

    /// <summary>A token for this host, whole.</summary>
    public async Task<string> TokenAsync(string host, TimeSpan? life = null) => (await Operator.PostAsync(
        "/v1/fleet/tokens", new TokenRequest(host, (long?)life?.TotalMilliseconds), PlaneRequests.Default.TokenRequest,
        PlaneAnswers.Default.TokenAnswer, CancellationToken.None)).Token;

    public void Dispose()
    {
        _operator?.Dispose();
        if (_process is { HasExited: false }) Kill();
        _process?.Dispose();
        Directory.Delete(Home, recursive: true);
    }

    private void Note(string? line, TaskCompletionSource ready)
    {
        if (line is null) return;
        lock (_said) _said.AppendLine(line);
        if (line.Contains("ready", StringComparison.Ordinal)) ready.TrySetResult();
    }

    /// <summary>
    /// Below those that the system gives to whoever connects somewhere: while the plane is dead nobody else takes it.
    /// </summary>
    private static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(20_000, 32_000);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Somebody has it.
            }
        }
    }

    [GeneratedRegex("ended.*seq\\W+(?<seq>[0-9]+).*digest\\W+(?<digest>[0-9a-f]+)")]
    private static partial Regex Ended();
}
