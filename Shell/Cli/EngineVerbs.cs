using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Api;
using Agent.Shell.Containers;

namespace Agent.Shell.Cli;

/// <summary>
/// `agent containers logs`, `pull`, `import` and `stats`: what goes between a person and the engine, and is no decision
/// of the agent's. The agent tells where its engine is asked; the bytes do not pass through it.
/// </summary>
internal static class EngineVerbs
{
    private static readonly Argument<string> Uid = new("UID")
    {
        Description = "A container, as it is declared", CompletionSources = { Completion.Containers },
    };

    private static readonly Argument<string> Image = new("IMAGE")
    {
        Description = "An image, such as registry.example/web:1.2",
    };

    private static readonly Argument<string> Archive = new("FILE.tar")
    {
        Description = "An archive that an engine saved; - is standard input",
    };

    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on with what comes" };
    private static readonly Option<int?> Tail = new("--tail") { Description = "Only the last N lines", HelpName = "N" };
    private static readonly Option<string?> As =
        SpawnVerb.Text("--as", "IMAGE", "The file holds the files of an image alone; it becomes the image of this name");

    public static IReadOnlyList<Command> All() =>
    [
        Invocation.Asking(
            "logs", "What a container said, each stream to its own", "agent containers logs web -f",
            LogsAsync, Uid, Follow, Tail),
        Invocation.Asking(
            "pull", "Fetch an image; the containers of it go on as they are", "agent containers pull web:1.2",
            PullAsync, Image),
        Invocation.Asking(
            "import", "Load images from a file, without any registry", "agent containers import web.tar",
            ImportAsync, Archive, As),
        StatsVerb.Tree(),
    ];

    private static async Task<int> LogsAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var name = parsed.GetRequiredValue(Uid);
        if (!ContainerUid.Parse(name).TryGet(out var uid))
        {
            throw new CommandFailure(ExitCodes.NotFound, $"\"{name}\" is no container's uid");
        }

        if (parsed.GetValue(Tail) is < 0) throw new CommandFailure(ExitCodes.Usage, "--tail counts lines");
        return await WithEngineAsync(client, async (engine, _) =>
        {
            var request = new LogRequest(parsed.GetValue(Follow), parsed.GetValue(Tail));
            await foreach (var (stream, bytes) in engine.LogsAsync(uid, request, stop).ConfigureAwait(false))
            {
                var into = stream == LogStream.Error ? StandardStream.Error : StandardStream.Output;
                await into.WriteAsync(bytes, stop).ConfigureAwait(false);
            }

            return ExitCodes.Done;
        }, stop).ConfigureAwait(false);
    }

    private static Task<int> PullAsync(ParseResult parsed, ApiClient client, CancellationToken stop) =>
        WithEngineAsync(client, async (engine, info) =>
        {
            var image = parsed.GetRequiredValue(Image);
            var login = RegistryAuth.Find(info.RegistryAuth, image);
            await ShownAsync(parsed, progress => engine.PullAsync(image, login, progress, stop)).ConfigureAwait(false);
            Tell(parsed, "pulled", [image]);
            return ExitCodes.Done;
        }, stop);

    private static Task<int> ImportAsync(ParseResult parsed, ApiClient client, CancellationToken stop) =>
        WithEngineAsync(client, async (engine, _) =>
        {
            var tar = Open(parsed.GetRequiredValue(Archive));
            await using var closed = tar.ConfigureAwait(false);
            IReadOnlyList<string> loaded = [];
            var name = parsed.GetValue(As);
            await ShownAsync(parsed, async progress =>
                loaded = await engine.LoadAsync(tar, name, progress, stop).ConfigureAwait(false)).ConfigureAwait(false);
            Tell(parsed, "imported", loaded);
            return ExitCodes.Done;
        }, stop);

    private static Stream Open(string file)
    {
        try
        {
            return file == "-" ? Console.OpenStandardInput() : File.OpenRead(file);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCodes.Usage, $"{file}: {failure.Message}");
        }
    }

    /// <summary>A bar where a person looks; in a pipe the end alone is of interest.</summary>
    private static async Task ShownAsync(ParseResult parsed, Func<IProgress<ImageProgress>, Task> run)
    {
        var isLookedAt = !Console.IsOutputRedirected && !Invocation.WantsJson(parsed);
        if (!isLookedAt)
        {
            await run(new Progress<ImageProgress>()).ConfigureAwait(false);
            return;
        }

        var bar = new ImageBar(Invocation.Draw, () => Console.WindowWidth, TimeProvider.System);
        try
        {
            await run(bar).ConfigureAwait(false);
        }
        finally
        {
            bar.End();
        }
    }

    private static void Tell(ParseResult parsed, string done, IReadOnlyList<string> what)
    {
        var answer = new ImagesAnswer(done, what);
        if (Invocation.WantsJson(parsed)) Invocation.Say(JsonSerializer.Serialize(answer, CliJson.Default.ImagesAnswer));
        else Invocation.Say(what.Count == 0 ? done : Screen.Clean(string.Join(", ", what)));
    }

    /// <summary>Runs on the engine that the agent tells of. What the engine refuses is the command's failure.</summary>
    internal static async Task<int> WithEngineAsync(
        ApiClient client, Func<IContainerBackend, ContainersInfo, Task<int>> run, CancellationToken stop)
    {
        var info = await client.GetAsync("/v1/containers", WireJson.Default.ContainersInfo, stop).ConfigureAwait(false);
        var address = EngineAddress.Of(info.EngineKind, info.Engine) ?? throw new CommandFailure(
            ExitCodes.Failed, $"the agent's engine is a {Screen.Clean(info.EngineKind)}, which this version does not know");
        try
        {
            // Nothing that these verbs ask for is secret.
            using var engine = address.Connect(new ContainerLabels(info.Instance), Path.GetTempPath());
            return await run(engine, info).ConfigureAwait(false);
        }
        catch (ContainerException failure)
        {
            var code = failure.Fault switch
            {
                ContainerFault.NotFound => ExitCodes.NotFound,
                ContainerFault.TimedOut => ExitCodes.TimedOut,
                _ => ExitCodes.Failed,
            };
            throw new CommandFailure(code, $"the engine on {info.Engine}: {Screen.Clean(failure.Message)}");
        }
    }
}
