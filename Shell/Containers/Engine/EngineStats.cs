using System;
using System.Text.Json;

namespace Agent.Shell.Containers.Engine;

/// <summary>
/// Reads `GET /containers/{id}/stats`. Engines say 0 or nothing where they have no account; what runs has used some
/// time and memory, so a 0 tells nothing.
/// </summary>
internal static class EngineStats
{
    private const long NanosOfTick = 100;

    public static ContainerStats Read(JsonElement told)
    {
        var cpu = Told(told.Member("cpu_stats").Member("cpu_usage").Number("total_usage"));
        var memory = told.Member("memory_stats");

        // Files that the kernel keeps in memory while nobody else wants it; cgroup v1 and v2 call them differently.
        var cached = memory.Member("stats").Number("total_inactive_file") ?? memory.Member("stats").Number("inactive_file") ?? 0;
        return new(
            cpu is { } nanos ? TimeSpan.FromTicks(nanos / NanosOfTick) : null,
            Told(memory.Number("usage")) is { } bytes ? Math.Max(0, bytes - cached) : null,
            Told(memory.Number("limit")),
            (int?)Told(told.Member("pids_stats").Number("current")));
    }

    private static long? Told(long? number) => number > 0 ? number : null;
}
