using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Shell.Containers.Engine;

namespace Agent.Shell.Containers.Apple;

/// <summary>
/// Reads `container list --all --format json`. The command's versions name things differently: `name`, `names` or `id`,
/// `status` or `state`, `exitCode` or `exit_code`, with or without a `configuration` around some of them.
/// </summary>
internal static class AppleList
{
    /// <summary>What bears this instance's name, and its labels wherever the command tells any; ordered by uid.</summary>
    public static IReadOnlyList<ObservedContainer> Read(string text, ContainerLabels names)
    {
        if (text.Trim().Length == 0) return [];
        try
        {
            using var list = JsonDocument.Parse(text);
            if (list.RootElement.ValueKind != JsonValueKind.Array)
            {
                throw new ContainerException(ContainerFault.Garbage, "the list of containers is no list");
            }

            return
            [
                .. list.RootElement.EnumerateArray().Select(one => Read(one, names)).OfType<ObservedContainer>()
                    .OrderBy(one => one.Uid.Value, StringComparer.Ordinal),
            ];
        }
        catch (JsonException failure)
        {
            throw new ContainerException(ContainerFault.Garbage, "the list of containers is not understood", failure);
        }
    }

    private static ObservedContainer? Read(JsonElement one, ContainerLabels names)
    {
        var configuration = one.Member("configuration");
        var name = one.Text("name") ?? First(one.Member("names")) ?? one.Text("id") ?? configuration.Text("id");
        if (name?.StartsWith(names.Prefix + "-", StringComparison.Ordinal) is not true) return null;
        if (!ContainerUid.Parse(name[(names.Prefix.Length + 1)..]).TryGet(out var uid)) return null;
        var labels = one.Member("labels") ?? configuration.Member("labels");
        var instance = labels.Text(ContainerLabels.InstanceKey);
        if (instance is not null && instance != names.Instance) return null;
        return new(uid, name, labels.Text(ContainerLabels.SpecKey) ?? "", StatusOf(one), ContainerHealth.None);
    }

    /// <summary>An end without a code is unknown: it may have been a failure.</summary>
    private static ContainerStatus StatusOf(JsonElement one)
    {
        var word = one.Text("status") ?? one.Text("state");
        if (word is not ("exited" or "stopped")) return EngineAccount.StatusOf(word);
        return (one.Number("exitCode") ?? one.Number("exit_code")) is { } code
            ? new ContainerStatus.Exited((int)code, OutOfMemory: false)
            : new ContainerStatus.Unknown("it ended, and the command does not tell its exit code");
    }

    private static string? First(JsonElement? names) =>
        names.Items().FirstOrDefault().Text();
}
