using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Http;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

namespace Agent.Shell.Containers.Engine;

/// <summary>What containers are made of: images, looked up, pulled and loaded, and volumes that others made.</summary>
internal sealed class EngineImages(EngineHttp http, EngineLimits limits)
{
    private const string Digest = "sha256:";

    /// <summary>An archive has so many images at most, in words that are told to a person.</summary>
    private const int MostTold = 256;

    /// <summary>Docker writes an id's algorithm before it, Podman does not.</summary>
    public static bool IsSame(string one, string other) => Bare(one).SequenceEqual(Bare(other));

    /// <summary>The id of the image that the reference names here; null if there is none.</summary>
    public async Task<string?> IdAsync(ApiVersion version, string image, CancellationToken stop)
    {
        _ = Reference(image);
        try
        {
            using var answer = await http.JsonAsync(
                HttpMethod.Get, $"{version}/images/{image}/json", null, limits.Look, EngineLimits.AnswerBytes, stop)
                .ConfigureAwait(false);
            return answer.RootElement.Text("Id")
                ?? throw new ContainerException(ContainerFault.Garbage, $"the engine does not tell the id of the image {image}");
        }
        catch (ContainerException missing) when (missing.Fault == ContainerFault.NotFound)
        {
            return null;
        }
    }

    /// <summary>The engine would make a volume that is not there, and data that should be in it would seem lost.</summary>
    public async Task RequireVolumesAsync(ApiVersion version, IReadOnlyList<ContainerMount> mounts, CancellationToken stop)
    {
        foreach (var mount in mounts)
        {
            if (mount.Kind != MountKind.External) continue;
            var path = $"{version}/volumes/{Escape(mount.Source)}";
            await http.DoAsync(HttpMethod.Get, path, limits.Look, stop).ConfigureAwait(false);
        }
    }

    public async Task PullAsync(
        ApiVersion version, string image, RegistryLogin? login, IProgress<ImageProgress> progress, CancellationToken stop)
    {
        var (repository, tag) = Reference(image);
        var path = $"{version}/images/create?fromImage={Escape(repository)}&tag={Escape(tag)}";
        using var limit = new CallLimit($"pull of {image}", limits.Silence, stop, http.Left);
        var answer = await http.OpenAsync(HttpMethod.Post, path, null, limit, login).ConfigureAwait(false);
        await using var closed = answer.ConfigureAwait(false);
        await foreach (var line in answer.LinesAsync().ConfigureAwait(false))
        {
            using (line) Tell(line.RootElement, progress);
        }
    }

    public async Task<IReadOnlyList<string>> LoadAsync(
        ApiVersion version, Stream tar, string? reference, IProgress<ImageProgress> progress, CancellationToken stop)
    {
        var path = $"{version}/images/load?quiet=0";
        if (reference is not null)
        {
            var (repository, tag) = Reference(reference);
            path = $"{version}/images/create?fromSrc=-&repo={Escape(repository)}&tag={Escape(tag)}";
        }

        using var limit = new CallLimit("load of an image", limits.Silence, stop, http.Left);
        using var content = new TarContent(tar, sent =>
        {
            limit.Extend();
            progress.Report(new("", "sent", sent, tar.CanSeek ? tar.Length : 0));
        });
        var loaded = new List<string>();
        var answer = await http.OpenAsync(HttpMethod.Post, path, content, limit).ConfigureAwait(false);
        await using var closed = answer.ConfigureAwait(false);
        await foreach (var line in answer.LinesAsync().ConfigureAwait(false))
        {
            using (line)
            {
                Tell(line.RootElement, progress);
                var said = line.RootElement.Text("stream") ?? (reference is null ? null : line.RootElement.Text("status"));
                if (said?.Trim() is { Length: > 0 } words && loaded.Count < MostTold) loaded.Add(words);
            }
        }

        return loaded;
    }

    private static ReadOnlySpan<char> Bare(string id) =>
        id.StartsWith(Digest, StringComparison.Ordinal) ? id.AsSpan(Digest.Length) : id;

    private static ImageReference Reference(string image) => ImageReference.Parse(image)
        ?? throw new ContainerException(ContainerFault.Refused, $"\"{image}\" is no name of an image");

    private static string Escape(string text) => Uri.EscapeDataString(text);

    /// <summary>An answer that began well may still end in an error, which is a line among the others.</summary>
    private static void Tell(JsonElement line, IProgress<ImageProgress> progress)
    {
        if ((line.Member("errorDetail").Text("message") ?? line.Text("error")) is { } error)
        {
            throw new ContainerException(ContainerFault.Failed, EngineError.Cut(error));
        }

        if (line.Text("status") is not { } status) return;
        var done = line.Member("progressDetail");
        progress.Report(new(line.Text("id") ?? "", status, done.Number("current") ?? 0, done.Number("total") ?? 0));
    }
}
