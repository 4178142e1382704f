using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Api;
using Agent.Shell.Journal;
using Agent.Shell.Journal.Codec;
using Agent.Shell.Loop;

namespace Agent.Shell.Cli;

/// <summary>The commands on what happened: events and explanations from a living agent, journals from the disk.</summary>
internal static class JournalVerbs
{
    private static readonly Option<long> Since = new("--since")
    {
        Description = "From this seq on",
        HelpName = "SEQ",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on with what comes" };
    private static readonly Argument<string> Kind = OneOf("kind", "runtime", "process", "container", "companion", "rollout");
    private static readonly Argument<string?> Id = OptionalProcess();
    private static readonly Argument<string> Place = new("path") { Description = "A journal directory or one segment" };
    private static readonly Argument<string?> OptionalPlace = new("path")
    {
        Description = "A journal directory (default: the agent's own)",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<int> Lines = new("--tail")
    {
        Description = "The last N records",
        HelpName = "N",
        DefaultValueFactory = _ => 20,
    };

    private static readonly Option<string?> Target = new("--to")
    {
        Description = "Make a copy here that `agent replay` reads; secrets were never in it",
        HelpName = "FOLDER",
    };

    private static readonly Option<long?> At = new("--at")
    {
        Description = "Stop after this seq; with -o json print the state there",
        HelpName = "SEQ",
    };

    public static IReadOnlyList<Command> All() =>
    [
        Invocation.Asking("events", "The journal's records, told as sentences", "agent events -f", EventsAsync, Since, Follow),
        Invocation.Asking("explain", "Why a thing is as it is", "agent explain process web", ExplainAsync, Kind, Id),
        Invocation.Group(
            "journal", "Read a journal on the disk", "agent journal verify /var/lib/agent/journal",
            OnDisk("tail", "Its last records", "agent journal tail --tail 50", ShowTail, OptionalPlace, Lines),
            OnDisk("verify", "Check every record of it", "agent journal verify", Verify, OptionalPlace),
            OnDisk(
                "export", "All its records: as JSON lines, or into a folder that can be replayed on another machine",
                "agent journal export --to /tmp/journal", Export, OptionalPlace, Target)),
        OnDisk(
            "replay", "Decide a recorded journal again and tell every difference", "agent replay /var/lib/agent/journal",
            Replay, Place, At),
    ];

    /// <summary>Each record as a sentence, or as it is.</summary>
    public static async Task TellAsync(ParseResult parsed, IAsyncEnumerable<string> records)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        await foreach (var line in records.ConfigureAwait(false)) Tell(parsed, line, names);
    }

    private static void Tell(ParseResult parsed, string record, Dictionary<string, string> names) =>
        Invocation.Say(Invocation.WantsJson(parsed) ? record : Story.Tell(record, names));

    private static async Task<int> EventsAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var follow = parsed.GetValue(Follow) ? "&follow=true" : "";
        var path = $"/v1/events?since={parsed.GetValue(Since)}{follow}";
        await TellAsync(parsed, client.LinesAsync(path, stop)).ConfigureAwait(false);
        return ExitCodes.Done;
    }

    private static async Task<int> ExplainAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        if (parsed.GetRequiredValue(Kind) == "runtime")
        {
            await TellAsync(parsed, client.LinesAsync("/v1/explain/runtime/runtime", stop)).ConfigureAwait(false);
            if (Invocation.WantsJson(parsed)) return ExitCodes.Done;
            var runtime = await client.GetAsync("/v1/runtime", WireJson.Default.RuntimeInfo, stop).ConfigureAwait(false);
            Invocation.Say(Describe.Runtime(runtime).Prepend(""));
            return ExitCodes.Done;
        }

        var kind = parsed.GetRequiredValue(Kind);
        var name = parsed.GetValue(Id) ?? throw new CommandFailure(ExitCodes.Usage, $"which one? agent explain {kind} NAME");
        if (kind == "rollout") return await RolloutVerbs.ExplainAsync(parsed, client, name, stop).ConfigureAwait(false);
        if (kind is "container" or "companion")
        {
            await TellAsync(parsed, client.LinesAsync($"/v1/explain/{kind}/{Uri.EscapeDataString(name)}", stop)).ConfigureAwait(false);
            return ExitCodes.Done;
        }

        var info = await KeptAsync(client, name, stop).ConfigureAwait(false);
        await TellAsync(parsed, client.LinesAsync($"/v1/explain/process/{info?.Id ?? name}", stop)).ConfigureAwait(false);
        if (Invocation.WantsJson(parsed)) return ExitCodes.Done;
        Invocation.Say((info is null ? ["it ended, and is only in the journal"] : Describe.Processes([info])).Prepend(""));
        return ExitCodes.Done;
    }

    /// <summary>The process of that name; null for an id that only the journal may still know.</summary>
    private static async Task<ProcessInfo?> KeptAsync(ApiClient client, string name, CancellationToken stop)
    {
        try
        {
            return await client.FindAsync(name, stop).ConfigureAwait(false);
        }
        catch (CommandFailure unknown) when (unknown.ExitCode == ExitCodes.NotFound && ProcessId.Parse(name).IsSome)
        {
            return null;
        }
    }

    private static int ShowTail(ParseResult parsed)
    {
        var last = new Queue<string>();
        JournalReader.Read(Directory(parsed), 0, (record, _, _) =>
        {
            last.Enqueue(Encoding.UTF8.GetString(record.Json));
            if (last.Count > parsed.GetValue(Lines)) last.Dequeue();
            return true;
        });
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in last) Tell(parsed, line, names);
        return ExitCodes.Done;
    }

    private static int Verify(ParseResult parsed)
    {
        long count = 0;
        var end = JournalReader.Read(Directory(parsed), 0, (_, _, _) => ++count > 0);
        Invocation.Say(Invocation.WantsJson(parsed)
            ? JsonSerializer.Serialize(new(count, end.NextSeq - 1, end.DroppedBytes), CliJson.Default.VerifyAnswer)
            : $"{count} records, the last is seq {end.NextSeq - 1}{Torn(end.DroppedBytes)}");
        return ExitCodes.Done;
    }

    private static int Export(ParseResult parsed)
    {
        if (parsed.GetValue(Target) is { } folder)
        {
            Invocation.Say($"{JournalExport.To(Directory(parsed), folder)} records in {folder}: agent replay {folder}");
            return ExitCodes.Done;
        }

        using var output = new BufferedStream(StandardStream.Output, 64 << 10);
        JournalReader.Read(Directory(parsed), 0, (record, _, _) =>
        {
            output.Write(record.Json);
            output.WriteByte((byte)'\n');
            return true;
        });
        output.Flush();
        return ExitCodes.Done;
    }

    private static int Replay(ParseResult parsed) => JournalKind.IsOfPlane(parsed.GetRequiredValue(Place))
        ? Replay(parsed, PlaneBinding.Instance)
        : Replay(parsed, HostBinding.Instance);

    private static int Replay<TState, TEvent, TEffect>(ParseResult parsed, Binding<TState, TEvent, TEffect> machine)
    {
        var json = Invocation.WantsJson(parsed);
        var until = parsed.GetValue(At);
        var outcome = JournalReplay.Run(
            machine, parsed.GetRequiredValue(Place), until ?? long.MaxValue, difference => Invocation.Say(json
                ? JsonSerializer.Serialize(new(difference.ToString()), CliJson.Default.DifferenceAnswer)
                : difference.ToString()));
        var digest = StateDigest.Of(machine, outcome.State);
        Invocation.Say(
            json && until is not null ? JournalReplay.Show(machine, outcome.State)
            : json ? JsonSerializer.Serialize(
                new(outcome.Events, digest, outcome.Differences, outcome.DroppedBytes), CliJson.Default.ReplayAnswer)
            : $"replayed {outcome.Events} events, digest {digest}{Torn(outcome.DroppedBytes)}");
        return outcome.Differences == 0 ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static string Torn(long bytes) =>
        bytes == 0 ? "" : $"\n{bytes} bytes behind the last record belong to none: they were never acknowledged";

    private static Command OnDisk(
        string name, string description, string example, Func<ParseResult, int> run, params IReadOnlyList<Symbol> symbols) =>
        Invocation.Local(name, description, example, (parsed, _) => Task.FromResult(Reading(() => run(parsed))), symbols);

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
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CommandFailure(ExitCodes.NotFound, failure.Message);
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new CommandFailure(ExitCodes.NotAllowed, failure.Message);
        }
        catch (IOException failure)
        {
            throw new CommandFailure(ExitCodes.Failed, failure.Message);
        }
    }

    private static string Directory(ParseResult parsed)
    {
        var path = parsed.GetValue(OptionalPlace) ?? Path.Combine(Places.StateDir(null), "journal");
        return System.IO.Directory.Exists(path) ? path : throw new DirectoryNotFoundException($"there is no journal at {path}");
    }

    private static Argument<string> OneOf(string name, params string[] choices)
    {
        var argument = new Argument<string>(name) { Description = string.Join(", ", choices) };
        argument.AcceptOnlyFromAmong(choices);
        return argument;
    }

    private static Argument<string?> OptionalProcess()
    {
        var name = new Argument<string?>("process")
        {
            Description = "An id, the beginning of one, or a label",
            Arity = ArgumentArity.ZeroOrOne,
        };
        name.CompletionSources.Add(Completion.Processes);
        return name;
    }
}
