using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;

namespace Agent.Shell.Cli;

/// <summary>`agent rollout …`: signed manifests, applied and followed to their end.</summary>
internal static class RolloutVerbs
{
    // The API's own bounds; a larger file is refused here, before it is read into memory.
    private const int MostManifest = 1 << 20;

    private static readonly Argument<string> Manifest = new("MANIFEST") { Description = "A signed manifest; its signatures lie beside it in MANIFEST.sig" };
    private static readonly Option<string?> Release = new("--release")
    {
        Description = "The archive; ARCHIVE.release and ARCHIVE.release.sig lie beside it",
        HelpName = "ARCHIVE",
    };

    private static readonly Option<bool> Detach = new("--detach") { Description = "Do not follow it; 0 says that it was accepted" };
    private static readonly Argument<string> Id = new("ID")
    {
        Description = "A rollout: its id, the beginning of its ref, or its channel for the newest of it",
        CompletionSources = { Completion.Rollouts },
    };

    private static readonly Argument<string?> OptionalId = new("ID")
    {
        Description = "One of them; all if it is left out",
        Arity = ArgumentArity.ZeroOrOne,
        CompletionSources = { Completion.Rollouts },
    };

    public static Command Tree() => Invocation.Group(
        "rollout", "Signed rollouts of this host: apply, follow, explain, decide", "agent rollout apply rollout.json --release app.tar.gz",
        Invocation.Asking(
            "apply", "Verify a signed manifest, apply it, and follow it until it is decided; 0 only if it converged",
            "agent rollout apply rollout.json --release app.tar.gz", ApplyAsync, Manifest, Release, Detach),
        Invocation.Asking(
            "status", "Where the rollouts of this host stand", "agent rollout status", StatusAsync, OptionalId),
        Invocation.Asking(
            "watch", "Follow one until it is decided; 0 only if it converged", "agent rollout watch stable", WatchAsync, Id),
        Invocation.Asking(
            "history", "What happened to one, each of its events with its number and time", "agent rollout history stable",
            HistoryAsync, Id),
        Invocation.Asking(
            "explain", "Why it is as it is: every event and what was decided on it", "agent rollout explain stable",
            (p, c, s) => ExplainAsync(p, c, p.GetValue(Id)!, s), Id),
        Invocation.Asking(
            "halt", "Stop it where it is; the host is left as it is", "agent rollout halt stable",
            (p, c, s) => AskAsync(p, c, "halt", end => end.Decided, s), Id),
        Invocation.Asking(
            "rollback", "Switch the host back to what it ran before", "agent rollout rollback stable",
            (p, c, s) => AskAsync(p, c, "rollback", end => end.State == "reverted", s), Id, Detach),
        Invocation.Asking(
            "retry", "Try again what failed last: the way back, else the switch", "agent rollout retry stable",
            (p, c, s) => AskAsync(p, c, "retry", end => end.State is "converged" or "reverted", s), Id, Detach));

    private static async Task<int> ApplyAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var manifest = parsed.GetValue(Manifest)!;
        var archive = parsed.GetValue(Release);
        var request = new ApplyRequest(
            Read(manifest),
            Read(manifest + ".sig"),
            ReadBeside(archive, ".release"),
            ReadBeside(archive, ".release.sig"),
            archive is null ? null : Path.GetFullPath(archive));
        var info = await client.PostAsync(
            "/v1/rollouts", request, WireJson.Default.ApplyRequest, WireJson.Default.RolloutInfo, stop).ConfigureAwait(false);
        if (parsed.GetValue(Detach))
        {
            Show(parsed, info);
            return ExitCodes.Done;
        }

        var end = await FollowAsync(parsed, client, info.Id, stop).ConfigureAwait(false);
        return end.Succeeded ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static async Task<int> StatusAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var all = await AllAsync(client, stop).ConfigureAwait(false);
        if (parsed.GetValue(OptionalId) is not { } name)
        {
            if (Invocation.WantsJson(parsed)) Invocation.Say(JsonSerializer.Serialize(all, WireJson.Default.IReadOnlyListRolloutInfo));
            else if (all.Count == 0) Invocation.Say("no rollout was applied to this host");
            else Invocation.Say(Describe.Rollouts(all));
            return ExitCodes.Done;
        }

        var one = Meant(all, name);
        if (Invocation.WantsJson(parsed)) Invocation.Say(JsonSerializer.Serialize(one, WireJson.Default.RolloutInfo));
        else Invocation.Say(Describe.Rollout(one));
        return ExitCodes.Done;
    }

    private static async Task<int> WatchAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var one = Meant(await AllAsync(client, stop).ConfigureAwait(false), parsed.GetValue(Id)!);
        var end = await FollowAsync(parsed, client, one.Id, stop).ConfigureAwait(false);
        return end.Succeeded ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static async Task<RolloutInfo> FollowAsync(
        ParseResult parsed, ApiClient client, string id, CancellationToken stop)
    {
        var lines = client.LinesAsync($"/v1/rollouts/{id}/watch", stop);
        var last = Invocation.WantsJson(parsed)
            ? await PassOnAsync(lines).ConfigureAwait(false)
            : await new RolloutView(live: !Console.IsOutputRedirected).FollowAsync(lines, stop).ConfigureAwait(false);
        return last ?? throw new CommandFailure("the agent ended the watch without a word");
    }

    private static async Task<RolloutInfo?> PassOnAsync(IAsyncEnumerable<string> lines)
    {
        RolloutInfo? last = null;
        await foreach (var line in lines.ConfigureAwait(false))
        {
            Invocation.Say(line);
            last = JsonSerializer.Deserialize(line, WireJson.Default.RolloutInfo);
        }

        return last;
    }

    private static async Task<int> HistoryAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var one = Meant(await AllAsync(client, stop).ConfigureAwait(false), parsed.GetValue(Id)!);
        await foreach (var line in client.LinesAsync($"/v1/explain/rollout/{one.Id}", stop).ConfigureAwait(false))
        {
            if (Invocation.WantsJson(parsed)) Invocation.Say(line);
            else Invocation.Say(RolloutStory.History(line));
        }

        return ExitCodes.Done;
    }

    public static async Task<int> ExplainAsync(ParseResult parsed, ApiClient client, string name, CancellationToken stop)
    {
        var one = Meant(await AllAsync(client, stop).ConfigureAwait(false), name);
        await JournalVerbs.TellAsync(parsed, client.LinesAsync($"/v1/explain/rollout/{one.Id}", stop)).ConfigureAwait(false);
        if (!Invocation.WantsJson(parsed)) Invocation.Say($"\n{one.Id} is {Describe.State(one.State)}: {Screen.Clean(one.Summary)}");
        return ExitCodes.Done;
    }

    /// <summary>Asks, and follows what comes of it; 0 if that is what was wanted.</summary>
    private static async Task<int> AskAsync(
        ParseResult parsed, ApiClient client, string what, Func<RolloutInfo, bool> achieved, CancellationToken stop)
    {
        var one = Meant(await AllAsync(client, stop).ConfigureAwait(false), parsed.GetValue(Id)!);
        using var answer = await client.SendAsync(HttpMethod.Post, $"/v1/rollouts/{one.Id}/{what}", null, stop).ConfigureAwait(false);
        if (!parsed.GetValue(Detach))
        {
            var end = await FollowAsync(parsed, client, one.Id, stop).ConfigureAwait(false);
            return achieved(end) ? ExitCodes.Done : ExitCodes.Failed;
        }

        var text = await answer.Content.ReadAsStringAsync(stop).ConfigureAwait(false);
        Show(parsed, JsonSerializer.Deserialize(text, WireJson.Default.RolloutInfo)!);
        return ExitCodes.Done;
    }

    private static void Show(ParseResult parsed, RolloutInfo one)
    {
        if (Invocation.WantsJson(parsed)) Invocation.Say(JsonSerializer.Serialize(one, WireJson.Default.RolloutInfo));
        else Invocation.Say(Describe.Rollouts([one]));
    }

    private static Task<IReadOnlyList<RolloutInfo>> AllAsync(ApiClient client, CancellationToken stop) =>
        client.GetAsync("/v1/rollouts", WireJson.Default.IReadOnlyListRolloutInfo, stop);

    /// <summary>By id, by the beginning of the ref, or the newest of a channel.</summary>
    private static RolloutInfo Meant(IReadOnlyList<RolloutInfo> all, string name)
    {
        if (all.FirstOrDefault(one => one.Id == name) is { } exact) return exact;
        if (all.Where(one => one.Channel == name).MaxBy(one => one.Version) is { } newest) return newest;
        var begun = all.Where(one => one.Id.StartsWith(name, StringComparison.Ordinal)
            || one.Id[(one.Channel.Length + 1)..].StartsWith(name, StringComparison.Ordinal)).ToList();
        return begun.Count switch
        {
            1 => begun[0],
            0 => throw new CommandFailure(ExitCodes.NotFound, $"no rollout {name}; `agent rollout status` lists them"),
            _ => throw new CommandFailure(ExitCodes.Usage, $"{name} may be {string.Join(", ", begun.Select(one => one.Id))}"),
        };
    }

    // No conditional expression: in one with bytes, null is converted to bytes that are there and none.
    private static ReadOnlyMemory<byte>? ReadBeside(string? archive, string suffix)
    {
        if (archive is null) return null;
        return Read(archive + suffix);
    }

    private static byte[] Read(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (file.Length > MostManifest) throw new CommandFailure(ExitCodes.Usage, $"{path} is larger than {MostManifest >> 10} KiB");
            return File.ReadAllBytes(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCodes.Usage, $"{failure.Message}; signed files come with their signatures beside them, see `agent sign --help`");
        }
    }
}
