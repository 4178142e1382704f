using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Outbox;
using Agent.Shell.Loop;
using Agent.Shell.Pki;
using Agent.Shell.Uplink;

namespace Agent.Shell.Cli;

/// <summary>A command that asks a plane as an operator, and how its failure is told.</summary>
internal static class PlaneCommand
{
    private static readonly Option<string?> Plane = new("--plane")
    {
        Description = "The plane's address (AGENT_PLANE)", HelpName = "URL",
    };

    private static readonly Option<string?> Identity = new("--identity")
    {
        Description = "An operator's key and certificate, from `agent plane operator` (AGENT_IDENTITY)", HelpName = "FILE",
    };

    public static Command Asking(
        string name, string description, string example,
        Func<ParseResult, PlaneClient, CancellationToken, Task<int>> run, params IReadOnlyList<Symbol> symbols) =>
        Invocation.Local(name, description, example, (parsed, stop) => GuardedAsync(async () =>
        {
            var url = Places.Named(parsed.GetValue(Plane), "AGENT_PLANE") ?? throw new CommandFailure(
                ExitCodes.Usage, "which plane? --plane https://NAME:8443, or AGENT_PLANE");
            var file = Places.Named(parsed.GetValue(Identity), "AGENT_IDENTITY") ?? throw new CommandFailure(
                ExitCodes.Usage, "who are you? --identity FILE, or AGENT_IDENTITY; `agent plane operator` makes one");
            using var client = new PlaneClient(UrlOf(url), OperatorIdentity.Load(file).Handler(WallClock.Read));
            return await run(parsed, client, stop).ConfigureAwait(false);
        }), [.. symbols, Plane, Identity]);

    public static Uri UrlOf(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url)
        ? url
        : throw new CommandFailure(ExitCodes.Usage, $"{text} is no address of a plane; give https://NAME:PORT");

    /// <summary>What a plane or a certificate says no to, with its exit code.</summary>
    public static async Task<int> GuardedAsync(Func<Task<int>> run)
    {
        try
        {
            return await run().ConfigureAwait(false);
        }
        catch (PlaneFailure failure)
        {
            throw new CommandFailure(
                failure.Status == 404 ? ExitCodes.NotFound
                : failure.Kind switch
                {
                    FailureKind.Unavailable => ExitCodes.NoAgent,
                    FailureKind.Unauthorized => ExitCodes.NotAllowed,
                    FailureKind.Refused when failure.Status == 400 => ExitCodes.Usage,
                    FailureKind.TooLarge or FailureKind.Refused => ExitCodes.Failed,
                    _ => ExitCodes.Failed,
                },
                failure.Message);
        }
        catch (PkiRefused refused)
        {
            throw new CommandFailure(ExitCodes.Failed, refused.Message);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCodes.Usage, failure.Message);
        }
    }
}
