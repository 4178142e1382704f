using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Loop;
using Agent.Shell.Observability;
using Agent.Shell.Pki;
using Agent.Shell.Plane;

namespace Agent.Shell.Cli;

/// <summary>`agent plane …`: the control side, set up and run.</summary>
internal static class PlaneVerbs
{
    private const string DefaultStateDir = "/var/lib/agent-plane";
    private const int DefaultPort = 8443;

    private static readonly Option<string> StateDir = new("--state-dir")
    {
        Description = "Its journal and, unless told otherwise, everything else", HelpName = "DIR", DefaultValueFactory = _ => DefaultStateDir,
    };

    private static readonly Option<string?> AuthorityDir =
        SpawnVerb.Text("--authority-dir", "DIR", "Its certificate authority; kept elsewhere it survives the loss of the state (default: the state directory)");

    private static readonly Option<string?> Published =
        SpawnVerb.Text("--published", "DIR", "The signed documents it serves (default: STATE/published)");

    private static readonly Option<string?> Trust =
        SpawnVerb.Text("--trust", "FILE", "The keys that publishers sign with (default: STATE/trust.json)");

    private static readonly Option<string> Listen = new("--listen")
    {
        Description = "The address to answer on", HelpName = "ADDR:PORT", DefaultValueFactory = _ => $"0.0.0.0:{DefaultPort}",
    };

    private static readonly Option<string[]> Name = new("--name")
    {
        Description = "A name or address that hosts reach it by; repeat for several (default: this machine's name, localhost)", HelpName = "NAME",
    };

    private static readonly Argument<string> Operator = new("NAME") { Description = "Who it is for: letters, digits, - _ ." };
    private static readonly Option<string?> Out = SpawnVerb.Text("--out", "FILE", "Where to (default: NAME.pem); it holds a private key");

    private static readonly Option<string?> LogTo = LogChoice.Flag();

    public static Command Tree() => Invocation.Group(
        "plane", "The control plane: set it up, run it, let operators in", "agent plane init --name plane.example.com",
        Invocation.Local(
            "init", "Make its certificate authority and the first operator's identity", "agent plane init --state-dir ./plane --name localhost",
            (p, _) => PlaneCommand.GuardedAsync(() => Init(p)), StateDir, AuthorityDir, Name),
        Invocation.Local(
            "run", "Run a plane in the foreground", "agent plane run --state-dir ./plane --listen 127.0.0.1:8443",
            (p, _) => RunAsync(p), StateDir, AuthorityDir, Published, Trust, Listen, LogTo),
        Invocation.Local(
            "operator", "Make a key and a certificate for an operator, where the authority lies",
            "agent plane operator alice --out alice.pem", (p, _) => PlaneCommand.GuardedAsync(() => MakeOperator(p)),
            Operator, Out, StateDir, AuthorityDir));

    private static Task<int> Init(ParseResult parsed)
    {
        var places = PlacesOf(parsed);
        var given = parsed.GetValue(Name) ?? [];
        string[] names = given.Length > 0 ? given : [Environment.MachineName, "localhost", "127.0.0.1"];
        using var authority = Authority.Init(places.AuthorityDir, names, WallClock.Read());
        var identity = Path.Combine(places.AuthorityDir, "operator.pem");
        OperatorIdentity.Save(identity, authority.MakeOperator("admin", WallClock.Read()).Pem, authority.Pem);
        Invocation.Say(
        [
            $"authority  {Path.Combine(places.AuthorityDir, "pki")}, for {string.Join(", ", authority.ServerNames)}, until {authority.NotAfter}",
            $"operator   {identity}: a secret; `export AGENT_IDENTITY={identity}`",
            $"trust      put the publishers' trust file at {places.Trust}, see `agent trust init`",
            $"next       agent plane run --state-dir {places.StateDir}",
        ]);
        return Task.FromResult(ExitCodes.Done);
    }

    private static Task<int> RunAsync(ParseResult parsed)
    {
        LogChoice.Use(parsed.GetValue(LogTo));
        var listen = parsed.GetValue(Listen)!;
        return IPEndPoint.TryParse(listen, out var endpoint) && listen.LastIndexOf(':') > listen.LastIndexOf(']')
            ? PlaneRun.RunAsync(PlacesOf(parsed), endpoint)
            : throw new CommandFailure(ExitCodes.Usage, $"--listen {listen}: an address and a port, such as 0.0.0.0:{DefaultPort}");
    }

    private static Task<int> MakeOperator(ParseResult parsed)
    {
        var name = parsed.GetValue(Operator)!;
        var path = parsed.GetValue(Out) ?? $"{name}.pem";
        if (File.Exists(path)) throw new CommandFailure(ExitCodes.Usage, $"{path} is there already; name another with --out");
        using var authority = Authority.Load(PlacesOf(parsed).AuthorityDir, WallClock.Read());
        var issued = authority.MakeOperator(name, WallClock.Read());
        OperatorIdentity.Save(path, issued.Pem, authority.Pem);
        Invocation.Say($"{path}: {name} until {issued.NotAfter}; it holds a private key");
        return Task.FromResult(ExitCodes.Done);
    }

    private static PlanePlaces PlacesOf(ParseResult parsed)
    {
        var state = Path.GetFullPath(parsed.GetValue(StateDir)!);
        return new(
            state,
            Path.GetFullPath(parsed.GetValue(AuthorityDir) ?? state),
            Path.GetFullPath(Optional(parsed, Published) ?? Path.Combine(state, "published")),
            Path.GetFullPath(Optional(parsed, Trust) ?? Path.Combine(state, "trust.json")));
    }

    /// <summary>Null where the command does not know the option.</summary>
    private static string? Optional(ParseResult parsed, Option<string?> option) =>
        parsed.CommandResult.Command.Options.Contains(option) ? parsed.GetValue(option) : null;
}
