using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Shell.Api;
using Agent.Shell.Config;
using Agent.Shell.Containers;

namespace Agent.Shell.Cli;

/// <summary>
/// `agent containers stats`: what each of this agent's containers uses, as its engine tells it. What an engine does not
/// tell is said to be so; nobody should take it for nothing.
/// </summary>
internal static class StatsVerb
{
    /// <summary>From one look to the next: a busy container shows in it, and nobody minds the wait.</summary>
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    /// <summary>Asked at a time: an engine makes up each account anew, and a command is a process each.</summary>
    private const int AtOnce = 8;

    public static Command Tree() => Invocation.Asking(
        "stats", "What each container uses, over one second", "agent containers stats -o json", StatsAsync);

    /// <summary>A row for each container of this agent's on the engine, after two looks at those that run.</summary>
    public static async Task<IReadOnlyList<StatsRow>> RowsAsync(
        IContainerBackend engine, TimeSpan between, CancellationToken stop)
    {
        var containers = await engine.ListAsync(stop).ConfigureAwait(false);
        var first = await LookAsync(engine, containers, stop).ConfigureAwait(false);
        await Task.Delay(between, stop).ConfigureAwait(false);
        var second = await LookAsync(engine, containers, stop).ConfigureAwait(false);
        return [.. containers.Select((one, i) => Row(one, first[i], second[i]))];
    }

    private static Task<int> StatsAsync(ParseResult parsed, ApiClient client, CancellationToken stop) =>
        EngineVerbs.WithEngineAsync(client, async (engine, info) =>
        {
            var (name, version, api) = await engine.VersionAsync(stop).ConfigureAwait(false);
            var told = new EngineAnswer(info.EngineKind, info.Engine, name, version, api);
            var rows = await RowsAsync(engine, Between, stop).ConfigureAwait(false);
            if (Invocation.WantsJson(parsed)) Say(new(told, rows));
            else Invocation.Say(Table(told, rows));
            return ExitCodes.Done;
        }, stop);

    private static void Say(StatsAnswer answer) =>
        Invocation.Say(JsonSerializer.Serialize(answer, CliJson.Default.StatsAnswer));

    private static async Task<Look[]> LookAsync(
        IContainerBackend engine, IReadOnlyList<ObservedContainer> containers, CancellationToken stop)
    {
        using var few = new SemaphoreSlim(AtOnce);
        return await Task.WhenAll(containers.Select(one => LookAsync(engine, one, few, stop))).ConfigureAwait(false);
    }

    private static async Task<Look> LookAsync(
        IContainerBackend engine, ObservedContainer one, SemaphoreSlim few, CancellationToken stop)
    {
        if (one.Status is not ContainerStatus.Running) return new(null, null, 0);
        await few.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            var stats = await engine.StatsAsync(one.Uid, stop).ConfigureAwait(false);
            var why = stats.TellsNothing ? "the engine does not tell what it uses" : null;
            return new(stats, why, Stopwatch.GetTimestamp());
        }
        catch (ContainerException failure)
        {
            return new(null, failure.Message, 0);
        }
        finally
        {
            few.Release();
        }
    }

    private static StatsRow Row(ObservedContainer one, Look first, Look second)
    {
        var (state, stats) = (MappingContainer.NameOf(one.Status), second.Stats);

        // One that was started anew in between has begun at nothing.
        double? percent = first.Stats?.Cpu is { } before && stats?.Cpu is { } after && after >= before
            ? Math.Round((after - before) / Stopwatch.GetElapsedTime(first.At, second.At) * 100, 1)
            : null;
        return new(
            one.Uid.Value, state, percent, (long?)stats?.Cpu?.TotalMilliseconds, stats?.MemoryBytes,
            stats?.MemoryLimitBytes, stats?.Processes, second.Why);
    }

    private static IEnumerable<string> Table(EngineAnswer engine, IReadOnlyList<StatsRow> rows)
    {
        yield return $"{Screen.Clean(engine.Name)} {Screen.Clean(engine.Version)}, API {Screen.Clean(engine.Api)}, "
            + $"{engine.Kind} {Screen.Clean(engine.Path)}";
        if (rows.Count == 0) yield return "it has no container of this agent's";
        if (rows.Count == 0) yield break;
        foreach (var line in Screen.Table(
            ["CONTAINER", "STATE", "CPU %", "CPU TIME", "MEMORY", "LIMIT", "PROCS", "WHY"], [.. rows.Select(Cells)]))
        {
            yield return line;
        }
    }

    private static IReadOnlyList<string> Cells(StatsRow one) =>
    [
        one.Uid, Describe.State(one.State),
        one.CpuPercent?.ToString("0.0", CultureInfo.InvariantCulture) ?? "-",
        one.CpuMs is { } used ? Screen.Age(used) : "-",
        one.MemoryBytes is { } bytes ? Sizes.Show(bytes) : "-",
        one.MemoryLimitBytes is { } most ? Sizes.Show(most) : "-",
        one.Processes is { } count ? Screen.Number(count) : "-",
        Screen.Clean(one.Detail ?? ""),
    ];

    /// <summary>One account of one container, when it came, or why there is none.</summary>
    private sealed record Look(ContainerStats? Stats, string? Why, long At);
}
