using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Http;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;

namespace Agent.Shell.Containers.Engine;

internal sealed partial class EngineBackend
{
    /// <summary>
    /// What the agent acts on, in Docker's words and Podman's. Each health check would also tell of two programs begun
    /// and one ended.
    /// </summary>
    private static readonly string[] Changes =
    [
        "create", "start", "die", "died", "oom", "pause", "unpause", "rename", "destroy", "remove", "health_status",
    ];

    public async Task<bool> ImageExistsAsync(string image, CancellationToken stop) => await _images.IdAsync(
        await SpokenAsync(stop).ConfigureAwait(false), image, stop).ConfigureAwait(false) is not null;

    public async Task PullAsync(
        string image, RegistryLogin? login, IProgress<ImageProgress> progress, CancellationToken stop)
    {
        var version = await SpokenAsync(stop).ConfigureAwait(false);
        await _images.PullAsync(version, image, login, progress, stop).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<string>> LoadAsync(
        Stream tar, string? reference, IProgress<ImageProgress> progress, CancellationToken stop)
    {
        var version = await SpokenAsync(stop).ConfigureAwait(false);
        return await _images.LoadAsync(version, tar, reference, progress, stop).ConfigureAwait(false);
    }

    public async IAsyncEnumerable<LogChunk> LogsAsync(
        ContainerUid uid, LogRequest request, [EnumeratorCancellation] CancellationToken stop)
    {
        var version = await SpokenAsync(stop).ConfigureAwait(false);
        var row = await RowAsync(uid, stop).ConfigureAwait(false);
        var account = await InspectAsync(version, row.Id, stop).ConfigureAwait(false)
            ?? throw new ContainerException(ContainerFault.NotFound, $"the container {uid} is gone");
        var tail = request.Tail is { } lines ? FormattableString.Invariant($"&tail={lines}") : "";
        var follow = request.Follow ? "&follow=true" : "";
        var path = $"{version}/containers/{row.Id}/logs?stdout=true&stderr=true{follow}{tail}";

        using var limit = new CallLimit($"logs of {uid}", _limits.Look, stop, _http.Left);
        var answer = await _http.OpenAsync(HttpMethod.Get, path, null, limit).ConfigureAwait(false);
        await using var closed = answer.ConfigureAwait(false);
        if (request.Follow) limit.Lift();
        await foreach (var chunk in LogFrames.ReadAsync(answer, account.HasTerminal).ConfigureAwait(false)) yield return chunk;
    }

    public async IAsyncEnumerable<ContainerChange> EventsAsync(
        Action listening, [EnumeratorCancellation] CancellationToken stop)
    {
        var version = await SpokenAsync(stop).ConfigureAwait(false);
        var filter = EngineFilter.Of(
        [
            new("type", ["container"]),
            new("label", [$"{ContainerLabels.InstanceKey}={_names.Instance}"]),
            new("event", Changes),
        ]);
        using var limit = new CallLimit("events", _limits.Look, stop, _http.Left);
        var answer = await _http.OpenAsync(HttpMethod.Get, $"{version}/events?filters={filter}", null, limit)
            .ConfigureAwait(false);
        await using var closed = answer.ConfigureAwait(false);
        limit.Lift();
        listening();
        await foreach (var line in answer.LinesAsync().ConfigureAwait(false))
        {
            using (line)
            {
                var about = line.RootElement.Member("Actor").Member("Attributes");
                var what = line.RootElement.Text("Action") ?? line.RootElement.Text("status");
                if (what is null || about.Text(ContainerLabels.InstanceKey) != _names.Instance) continue;
                if (ContainerUid.Parse(about.Text(ContainerLabels.UidKey) ?? "").TryGet(out var uid)) yield return new(uid, what);
            }
        }

        throw new ContainerException(ContainerFault.Unreachable, "the engine ended its events");
    }
}
