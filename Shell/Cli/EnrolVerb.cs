using System;
using System.CommandLine;
using System.IO;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Config;
using Agent.Shell.Loop;
using Agent.Shell.Pki;
using Agent.Shell.Uplink;

namespace Agent.Shell.Cli;

/// <summary>`agent enroll`: this host gets its certificate, and its agent a plane.</summary>
internal static class EnrolVerb
{
    private static readonly Option<string> Plane = new("--plane") { Description = "The plane's address", HelpName = "URL", Required = true };
    private static readonly Option<string?> Token = SpawnVerb.Text("--token", "TOKEN", "The one-time token; others see it in the list of processes, so better");
    private static readonly Option<string?> TokenFile = SpawnVerb.Text("--token-file", "FILE", "a file with it, or - for standard input");
    private static readonly Option<string?> Host = SpawnVerb.Text("--host", "NAME", "This host's name (default: host.name of the configuration)");
    private static readonly Option<string?> Config = SpawnVerb.Text("--config", "FILE", "The agent's configuration");
    private static readonly Option<string?> StateDir = SpawnVerb.Text("--state-dir", "DIR", "The agent's state directory");
    private static readonly Option<string?> RuntimeDir = SpawnVerb.Text("--runtime-dir", "DIR", "The agent's runtime directory");

    public static Command Command() => Invocation.Local(
        "enroll", "Enrol this host with a plane, for a one-time token", "agent enroll --plane https://plane:8443 --token-file -",
        (p, s) => PlaneCommand.GuardedAsync(() => EnrolAsync(p, s)), Plane, Token, TokenFile, Host, Config, StateDir, RuntimeDir);

    private static async Task<int> EnrolAsync(ParseResult parsed, CancellationToken stop)
    {
        var plane = PlaneCommand.UrlOf(parsed.GetValue(Plane)!);
        PlaneConnections.CheckUrl(plane);
        var token = EnrolToken.Parse(await TokenAsync(parsed, stop).ConfigureAwait(false));
        var paths = PathsOf(parsed, out var isDefault);
        var name = parsed.GetValue(Host) ?? ConfigReader.Read(paths, isDefault).Rollout.Host;
        if (!HostName.Parse(name).TryGet(out var host)) throw new CommandFailure(ExitCodes.Usage, $"{name} is no name of a host");

        Directory.CreateDirectory(
            paths.StateDir, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using var identity = ClientIdentity.Open(paths.Identity);
        using var authority = await FetchAsync(plane, token, stop).ConfigureAwait(false);
        using var client = new PlaneClient(plane, PlaneConnections.ForEnrolment(authority, WallClock.Read));
        var answer = await client.PostAsync(
            Protocol.Enrol, new EnrolRequest(token.Secret, host.Value, identity.Request(host)),
            PlaneRequests.Default.EnrolRequest, PlaneAnswers.Default.CertificateAnswer, stop).ConfigureAwait(false);
        var now = identity.Accept(answer.Certificate, host, WallClock.Read(), authority.ExportCertificatePem());
        PlaneAddress.Write(paths.PlaneAddress, plane);
        Invocation.Say($"{host} is enrolled with {plane} until {now.NotAfter}; it renews by itself");
        await AttachAsync(parsed, paths, stop).ConfigureAwait(false);
        return ExitCodes.Done;
    }

    private static async Task<System.Security.Cryptography.X509Certificates.X509Certificate2> FetchAsync(
        Uri plane, EnrolToken token, CancellationToken stop)
    {
        try
        {
            return await PlaneConnections.FetchAuthorityAsync(plane, token, stop).ConfigureAwait(false);
        }
        catch (HttpRequestException failure)
        {
            throw new CommandFailure(ExitCodes.NoAgent, $"{plane}: {failure.GetBaseException().Message}");
        }
    }

    /// <summary>A running agent is told; one that starts later finds it by itself.</summary>
    private static async Task AttachAsync(ParseResult parsed, AgentPaths paths, CancellationToken stop)
    {
        var socket = parsed.GetValue(Invocation.Socket) ?? paths.Socket;
        if (!File.Exists(socket)) return;
        try
        {
            using var agent = new ApiClient(Places.Fitting(socket));
            using var answer = await agent.SendAsync(HttpMethod.Post, "/v1/plane/attach", null, stop).ConfigureAwait(false);
        }
        catch (CommandFailure failure) when (failure.ExitCode == ExitCodes.NoAgent)
        {
            // None runs.
        }
    }

    private static async Task<string> TokenAsync(ParseResult parsed, CancellationToken stop)
    {
        if (parsed.GetValue(Token) is { } given) return given.Trim();
        var file = parsed.GetValue(TokenFile) ?? throw new CommandFailure(ExitCodes.Usage, "a token is needed: --token-file FILE, from `agent fleet token`");
        return (file == "-"
            ? await Console.In.ReadToEndAsync(stop).ConfigureAwait(false)
            : await File.ReadAllTextAsync(file, stop).ConfigureAwait(false)).Trim();
    }

    private static AgentPaths PathsOf(ParseResult parsed, out bool isDefault)
    {
        (var config, isDefault) = Places.Config(parsed.GetValue(Config));
        var runtime = Path.GetFullPath(Places.RuntimeDir(parsed.GetValue(RuntimeDir)));
        return new(config, Path.GetFullPath(Places.StateDir(parsed.GetValue(StateDir))), runtime, AgentPaths.DefaultSocket(runtime));
    }
}
