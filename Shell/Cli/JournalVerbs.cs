using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Journal;
using Agent.Shell.Journal.Codec;

namespace Agent.Shell.Cli;

/// <summary>
/// The commands on what happened: events and explanations from a living agent, journals from the disk.
/// </summary>
internal static class JournalVerbs
{
    private static readonly Option<long> Since = new("--since") { Description = "From this seq on", HelpName = "SEQ", DefaultValueFactory = _ => 1 };
    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on with what comes" };
    private static readonly Argument<string> Kind = new("kind") { Description = "runtime or process" };
    private static readonly Argument<string?> Id = new("id") { Description = "An id, the beginning of one, or a label", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Argument<string> Place = new("path") { Description = "A journal directory or one segment" };
    private static readonly Argument<string?> OptionalPlace = new("path")
    {
        Description = "A journal directory (default: the agent's own)",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<int> Lines = new("--tail") { Description = "The last N records", HelpName = "N", DefaultValueFactory = _ => 20 };
    private static readonly Option<long?> At = new("--at") { Description = "Stop after this seq; with -o json print the state there", HelpName = "SEQ" };

    public static IReadOnlyList<Command> All() =>
    [
        Invocation.Asking("events", "The journal's records as they happen, e.g. agent events -f", EventsAsync, Since, Follow),
        Invocation.Asking("explain", "Why a thing is as it is, e.g. agent explain process web", ExplainAsync, Kind, Id),
        Invocation.Group(
            "journal", "Read a journal on the disk",
            Invocation.Local("tail", "Its last records", (p, _) => Task.FromResult(ShowTail(p)), OptionalPlace, Lines),
            Invocation.Local("verify", "Check every record of it", (p, _) => Task.FromResult(Verify(p)), OptionalPlace),
            Invocation.Local("export", "All its records as JSON lines, without their checksums", (p, _) => Task.FromResult(Export(p)), OptionalPlace)),
        Invocation.Local(
            "replay", "Decide a recorded journal again and tell every difference, e.g. agent replay /var/lib/agent/journal",
            (p, _) => Task.FromResult(Replay(p)), Place, At),
    ];

    private static async Task<int> EventsAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var follow = parsed.GetValue(Follow) ? "&follow=true" : "";
        await TellAsync(parsed, client, $"/v1/events?since={parsed.GetValue(Since)}{follow}", stop).ConfigureAwait(false);
        return ExitCodes.Done;
    }

    private static async Task<int> ExplainAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var (kind, name) = (parsed.GetRequiredValue(Kind), parsed.GetValue(Id));
        if (kind is not ("runtime" or "process")) throw new CommandFailure(ExitCodes.Usage, $"{kind}: explain runtime, or process NAME");
        if (kind == "process" && name is null) throw new CommandFailure(ExitCodes.Usage, "which process? agent explain process NAME");
        var info = kind == "process" ? await client.FindAsync(name!, stop).ConfigureAwait(false) : null;
        await TellAsync(parsed, client, $"/v1/explain/{kind}/{info?.Id ?? "runtime"}", stop).ConfigureAwait(false);
        if (Invocation.WantsJson(parsed)) return ExitCodes.Done;
        Invocation.Say(info is null
            ? Describe.Runtime(await client.GetAsync("/v1/runtime", Api.WireJson.Default.RuntimeInfo, stop).ConfigureAwait(false))
            : Describe.Processes([info]));
        return ExitCodes.Done;
    }

    private static async Task TellAsync(ParseResult parsed, ApiClient client, string path, CancellationToken stop)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        await foreach (var line in client.LinesAsync(path, stop).ConfigureAwait(false))
        {
            Invocation.Say(Invocation.WantsJson(parsed) ? line : Story.Tell(line, names));
        }
    }

    private static int ShowTail(ParseResult parsed) => Reading(() =>
    {
        var last = new Queue<string>();
        JournalReader.Read(Directory(parsed), 0, (record, _, _) =>
        {
            last.Enqueue(Encoding.UTF8.GetString(record.Json));
            if (last.Count > parsed.GetValue(Lines)) last.Dequeue();
            return true;
        });
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in last) Invocation.Say(Invocation.WantsJson(parsed) ? line : Story.Tell(line, names));
        return ExitCodes.Done;
    });

    private static int Verify(ParseResult parsed) => Reading(() =>
    {
        long count = 0;
        var end = JournalReader.Read(Directory(parsed), 0, (_, _, _) => ++count > 0);
        Invocation.Say($"{count} records, the last is seq {end.NextSeq - 1}"
            + (end.DroppedBytes > 0 ? $"; {end.DroppedBytes} bytes behind it were cut off before they were acknowledged" : ""));
        return ExitCodes.Done;
    });

    private static int Export(ParseResult parsed) => Reading(() =>
    {
        using var output = Console.OpenStandardOutput();
        JournalReader.Read(Directory(parsed), 0, (record, _, _) =>
        {
            output.Write(record.Json);
            output.WriteByte((byte)'\n');
            return true;
        });
        return ExitCodes.Done;
    });

    private static int Replay(ParseResult parsed) => Reading(() =>
    {
        var until = parsed.GetValue(At) ?? long.MaxValue;
        var outcome = JournalReplay.Run(parsed.GetRequiredValue(Place), until, difference => Invocation.Say(difference.ToString()));
        if (parsed.GetValue(At) is not null && Invocation.WantsJson(parsed)) Invocation.Say(JournalReplay.Show(outcome.State));
        else Invocation.Say($"replayed {outcome.Events} events, digest {StateDigest.Of(outcome.State)}");
        if (outcome.DroppedBytes > 0) Invocation.Say($"{outcome.DroppedBytes} bytes behind the last record were cut off before they were acknowledged");
        return outcome.Differences == 0 ? ExitCodes.Done : ExitCodes.Failed;
    });

    private static int Reading(Func<int> read)
    {
        try
        {
            return read();
        }
        catch (Exception failure) when (failure is JournalDamage or UnknownRecordException)
        {
            throw new CommandFailure(ExitCodes.Usage, failure.Message);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCodes.NotFound, failure.Message);
        }
    }

    private static string Directory(ParseResult parsed) =>
        parsed.GetValue(OptionalPlace) ?? Path.Combine(Places.StateDir(null), "journal");
}
