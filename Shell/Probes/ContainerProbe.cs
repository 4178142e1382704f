using System;
using System.IO;
using System.Net.Http;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Runtime;
using Agent.Shell.Docker;

namespace Agent.Shell.Probes;

/// <summary>
/// The engine says of the container that it runs and, where it has a health check, that it is healthy. An engine that
/// says nothing says nothing about the container.
/// </summary>
internal static class ContainerProbe
{
    /// <summary>An engine's account of a container takes some 10 KiB, labels and mounts included.</summary>
    private const int MaxAnswerBytes = 1 << 20;

    /// <summary>A host name's length, which the engine makes of it.</summary>
    private const int MaxNameLength = 255;

    public static async Task<ProbeResult> RunAsync(RuntimeState runtime, string name, CancellationToken limit)
    {
        if (!IsName(name)) return ProbeResult.Inconclusive("its name is no container's name");
        if (SocketOf(runtime) is not { } socket) return NotReady;
        try
        {
            var address = new Uri($"http://engine/containers/{name}/json");
            using var answer = await OneAnswer.GetAsync(address, socket, limit).ConfigureAwait(false);
            return (int)answer.StatusCode switch
            {
                200 => await JudgeAsync(answer, limit).ConfigureAwait(false),
                404 => ProbeResult.Failed($"no container is called {name}"),
                var status => ProbeResult.Inconclusive(
                    FormattableString.Invariant($"the container runtime answers with status {status}")),
            };
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            return Silent;
        }
        catch (JsonException)
        {
            return NotUnderstood;
        }
    }

    public static ProbeResult Silent => ProbeResult.Inconclusive("the container runtime does not answer");

    private static ProbeResult NotReady => ProbeResult.Inconclusive("the container runtime is not ready");

    private static ProbeResult NotUnderstood =>
        ProbeResult.Inconclusive("the container runtime's answer is not understood");

    /// <summary>The engine's own rule for names and ids; such a name stands in a path as it is.</summary>
    private static bool IsName(string name)
    {
        if (name.Length is 0 or > MaxNameLength || !char.IsAsciiLetterOrDigit(name[0])) return false;
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '.' or '-')) return false;
        }

        return true;
    }

    private static string? SocketOf(RuntimeState runtime) => runtime switch
    {
        RuntimeState.Ready ready => EngineLayout.SocketOf(ready.Endpoint),
        RuntimeState.Degraded degraded => EngineLayout.SocketOf(degraded.Endpoint),
        RuntimeState.NotStarted or RuntimeState.Starting or RuntimeState.Failed => null,
    };

    private static async Task<ProbeResult> JudgeAsync(HttpResponseMessage answer, CancellationToken limit)
    {
        var body = new byte[MaxAnswerBytes];
        var length = await OneAnswer.FillAsync(answer, body, limit).ConfigureAwait(false);
        using var account = JsonDocument.Parse(body.AsMemory(0, length));
        return Judge(account.RootElement);
    }

    private static ProbeResult Judge(JsonElement account)
    {
        if (Member(account, "State") is not { ValueKind: JsonValueKind.Object } state) return NotUnderstood;

        // A container that is paused, or between two tries, counts as running too.
        if (Is(state, "Paused")) return ProbeResult.Failed("it is paused");
        if (Is(state, "Restarting")) return ProbeResult.Failed("it restarts");
        if (!Is(state, "Running")) return ProbeResult.Failed("it does not run");
        return Health(state) switch
        {
            // Podman gives an empty word where there is no health check.
            null or "" or "none" => ProbeResult.Passed("it runs"),
            "healthy" => ProbeResult.Passed("it runs and is healthy"),
            "starting" => ProbeResult.Inconclusive("its health check is starting"),
            var word => ProbeResult.Failed($"it is {word}"),
        };
    }

    private static string? Health(JsonElement state) =>
        Member(state, "Health") is { } health && Member(health, "Status") is { ValueKind: JsonValueKind.String } word
            ? word.GetString()
            : null;

    private static bool Is(JsonElement state, string name) => Member(state, name) is { ValueKind: JsonValueKind.True };

    private static JsonElement? Member(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value) ? value : null;
}
