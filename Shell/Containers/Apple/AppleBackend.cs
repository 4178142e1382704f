using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Shell.Containers.Engine;

namespace Agent.Shell.Containers.Apple;

/// <summary>
/// Apple's `container` command, version 1: a run of it for each call. It tells of no changes, has no health checks, and
/// finds containers by their names, which carry the instance.
/// </summary>
/// <param name="program">The command's path, or its name to be found along PATH.</param>
/// <param name="folder">For the files of its runs, see <see cref="Effects.LocalCommand"/>.</param>
internal sealed class AppleBackend(string program, ContainerLabels names, string folder, EngineLimits? given = null)
    : IContainerBackend
{
    /// <summary>How often the file of a log that is followed is looked at.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private const int PartBytes = 32 << 10;

    private readonly EngineLimits _limits = given ?? new EngineLimits();
    private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async Task<EngineVersion> VersionAsync(CancellationToken stop)
    {
        var told = (await RunAsync(_limits.Look, stop, "--version").ConfigureAwait(false)).Trim();
        const string Mark = "version ";
        var at = told.IndexOf(Mark, StringComparison.Ordinal);
        return new("Apple container", at < 0 ? told : told[(at + Mark.Length)..], "1");
    }

    public async Task<IReadOnlyList<ObservedContainer>> ListAsync(CancellationToken stop) => AppleList.Read(
        await RunAsync(_limits.Look, stop, "list", "--all", "--format", "json").ConfigureAwait(false), names);

    public async Task<string> CreateAsync(ContainerDefinition definition, string digest, CancellationToken stop)
    {
        if (!await ImageExistsAsync(definition.Image, stop).ConfigureAwait(false))
        {
            throw new ContainerException(ContainerFault.NotFound, $"there is no image {definition.Image}");
        }

        // Not as arguments: everybody on the host may read those.
        using var command = new AppleCommand($"create {definition.Uid}", folder);
        var lines = definition.Environment.Select(pair => $"{pair.Key}={pair.Value}\n");
        var file = command.Write("env", string.Concat(lines));
        command.Start(program, AppleArguments.Of(definition, names, digest, file));
        await command.EndAsync(_limits.Act, stop).ConfigureAwait(false);
        return names.NameOf(definition.Uid);
    }

    public async Task StartAsync(ContainerUid uid, CancellationToken stop)
    {
        if (await FindAsync(uid, stop).ConfigureAwait(false) is ContainerStatus.Running) return;
        await RunAsync(_limits.Act, stop, "start", names.NameOf(uid)).ConfigureAwait(false);
    }

    public async Task StopAsync(ContainerUid uid, TimeSpan grace, CancellationToken stop)
    {
        if (await FindAsync(uid, stop).ConfigureAwait(false) is not ContainerStatus.Running) return;
        var seconds = FormattableString.Invariant($"{Math.Ceiling(grace.TotalSeconds):0}");
        await RunAsync(grace + _limits.AfterGrace, stop, "stop", "--time", seconds, names.NameOf(uid)).ConfigureAwait(false);
    }

    public async Task RemoveAsync(ContainerUid uid, CancellationToken stop)
    {
        var there = await ListAsync(stop).ConfigureAwait(false);
        if (!there.Any(one => one.Uid.Value == uid.Value)) return;
        await RunAsync(_limits.Act, stop, "delete", "--force", names.NameOf(uid)).ConfigureAwait(false);
    }

    public async Task<bool> ImageExistsAsync(string image, CancellationToken stop)
    {
        try
        {
            await RunAsync(_limits.Look, stop, "image", "inspect", Checked(image)).ConfigureAwait(false);
            return true;
        }
        catch (ContainerException missing) when (missing.Fault == ContainerFault.NotFound)
        {
            return false;
        }
    }

    /// <summary>The command keeps its own logins, and takes none from elsewhere.</summary>
    public async Task PullAsync(
        string image, RegistryLogin? login, IProgress<ImageProgress> progress, CancellationToken stop)
    {
        if (login is not null)
        {
            throw new ContainerException(
                ContainerFault.Refused, $"{login} is not taken by this command, which has its own: container registry login");
        }

        progress.Report(new(image, "Pulling", 0, 0));
        await RunAsync(_limits.WholePull, stop, "image", "pull", Checked(image)).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<string>> LoadAsync(
        Stream tar, string? reference, IProgress<ImageProgress> progress, CancellationToken stop)
    {
        if (reference is not null)
        {
            throw new ContainerException(ContainerFault.Refused, "Apple's container command makes no image of files alone");
        }

        using var command = new AppleCommand("image load", folder);
        var path = command.PathOf("tar");
        var file = File.Create(path);
        await using (file.ConfigureAwait(false)) await tar.CopyToAsync(file, stop).ConfigureAwait(false);
        command.Start(program, ["image", "load", "--input", path]);
        var told = await command.EndAsync(_limits.WholePull, stop).ConfigureAwait(false);
        return told.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Output and errors are one here.</summary>
    public async IAsyncEnumerable<LogChunk> LogsAsync(
        ContainerUid uid, LogRequest request, [EnumeratorCancellation] CancellationToken stop)
    {
        await FindAsync(uid, stop).ConfigureAwait(false);
        string[] tail = request.Tail is { } lines ? ["-n", FormattableString.Invariant($"{lines}")] : [];
        string[] follow = request.Follow ? ["--follow"] : [];
        using var command = new AppleCommand($"logs {uid}", folder);
        command.Start(program, ["logs", .. follow, .. tail, names.NameOf(uid)]);
        using var log = File.OpenRead(command.OutputFile);
        var part = new byte[PartBytes];
        while (true)
        {
            // Looked at before the bytes: what came before the end is then all there.
            var last = command.HasEnded;
            while (await log.ReadAsync(part, stop).ConfigureAwait(false) is > 0 and var count)
            {
                yield return new(LogStream.Output, part.AsMemory(0, count));
            }

            if (last) break;
            await Task.Delay(Look, stop).ConfigureAwait(false);
        }

        await command.EndAsync(_limits.Look, stop).ConfigureAwait(false);
    }

    /// <summary>Nothing, until the end: the command tells of no changes, and the passes find them.</summary>
    public async IAsyncEnumerable<ContainerChange> EventsAsync(
        Action listening, [EnumeratorCancellation] CancellationToken stop)
    {
        await _disposed.Task.WaitAsync(stop).ConfigureAwait(false);
        yield break;
    }

    public async Task<ContainerStats> StatsAsync(ContainerUid uid, CancellationToken stop)
    {
        await FindAsync(uid, stop).ConfigureAwait(false);
        var text = await RunAsync(_limits.Look, stop, "stats", "--no-stream", "--format", "json", names.NameOf(uid))
            .ConfigureAwait(false);
        try
        {
            using var told = JsonDocument.Parse(text);
            var one = told.RootElement.ValueKind == JsonValueKind.Array
                ? ((JsonElement?)told.RootElement).Items().FirstOrDefault()
                : told.RootElement;
            return new(
                one.Number("cpuUsageUsec") is { } used ? TimeSpan.FromMicroseconds(used) : null,
                one.Number("memoryUsageBytes"), one.Number("memoryLimitBytes"), (int?)one.Number("numProcesses"));
        }
        catch (JsonException failure)
        {
            throw new ContainerException(ContainerFault.Garbage, "the answer is not understood (stats)", failure);
        }
    }

    public void Dispose() => _disposed.TrySetResult();

    private async Task<ContainerStatus> FindAsync(ContainerUid uid, CancellationToken stop)
    {
        var there = await ListAsync(stop).ConfigureAwait(false);
        return there.FirstOrDefault(one => one.Uid.Value == uid.Value)?.Status
            ?? throw new ContainerException(ContainerFault.NotFound, $"there is no container of this agent called {uid}");
    }

    private async Task<string> RunAsync(TimeSpan limit, CancellationToken stop, params string[] arguments)
    {
        stop.ThrowIfCancellationRequested();
        using var command = new AppleCommand(string.Join(' ', arguments), folder);
        command.Start(program, arguments);
        return await command.EndAsync(limit, stop).ConfigureAwait(false);
    }

    /// <summary>No name of an image is an option.</summary>
    private static string Checked(string image) => ImageReference.Parse(image) is null
        ? throw new ContainerException(ContainerFault.Refused, $"\"{image}\" is no name of an image")
        : image;
}
