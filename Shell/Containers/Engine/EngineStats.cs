using System;
using System.Text.Json;

namespace Agent.Shell.Containers.Engine;

/// <summary>Reads `GET /containers/{id}/stats`.</summary>
internal static class EngineStats
{
    private const long NanosOfTick = 100;

    public static ContainerStats Read(JsonElement told)
    {
        var cpu = told.Member("cpu_stats").Member("cpu_usage").Number("total_usage") ?? 0;
        var memory = told.Member("memory_stats");

        // Files that the kernel keeps in memory while nobody else wants it; cgroup v1 and v2 call them differently.
        var cached = memory.Member("stats").Number("total_inactive_file") ?? memory.Member("stats").Number("inactive_file") ?? 0;
        return new(
            TimeSpan.FromTicks(cpu / NanosOfTick),
            Math.Max(0, (memory.Number("usage") ?? 0) - cached),
            memory.Number("limit") ?? 0,
            (int)(told.Member("pids_stats").Number("current") ?? 0));
    }
}
