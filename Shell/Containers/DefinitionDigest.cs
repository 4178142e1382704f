using System;
using System.Buffers;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Security.Cryptography;
using System.Text.Json;

namespace Agent.Shell.Containers;

/// <summary>
/// Tells whether a container is still what its definition says (CT-3). Only what the engine makes it of is in it: a
/// changed restart rule or dependency is the agent's own business and recreates nothing. It is keyed, because a
/// definition holds secrets that a plain hash in the journal would let anybody try guesses against.
/// </summary>
internal static class DefinitionDigest
{
    /// <summary>Another form of the text below is another digest, and each container would be replaced.</summary>
    private const int Form = 1;

    /// <summary>HMAC-SHA-256 in hexadecimal digits.</summary>
    public static string Of(ContainerDefinition definition, ReadOnlySpan<byte> key)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text)) Write(json, definition);
        return Convert.ToHexStringLower(HMACSHA256.HashData(key, text.WrittenSpan));
    }

    private static void Write(Utf8JsonWriter json, ContainerDefinition one)
    {
        json.WriteStartArray();
        json.WriteNumberValue(Form);
        json.WriteStringValue(one.Uid.Value);
        json.WriteStringValue(one.Image);
        List(json, one.Entrypoint);
        List(json, one.Command);
        Pairs(json, one.Environment.OrderBy(pair => pair.Key, StringComparer.Ordinal));
        Pairs(json, one.Labels.OrderBy(pair => pair.Key, StringComparer.Ordinal));
        Pairs(json, one.ExtraHosts);
        foreach (var port in one.Ports)
        {
            List(json, ["port", port.HostAddress, Text(port.HostPort), Text(port.ContainerPort), port.Protocol]);
        }

        foreach (var mount in one.Mounts)
        {
            List(json, [Text((int)mount.Kind), mount.Source, mount.Target, YesNo(mount.ReadOnly)]);
            List(json, [Text(mount.TmpfsBytes)]);
        }

        List(json, [one.User, one.WorkingDirectory, one.Hostname, one.NetworkMode, one.StopSignal]);
        List(json, one.Healthcheck?.Test);
        var health = one.Healthcheck;
        List(json, [Ticks(health?.Interval), Ticks(health?.Timeout), Ticks(health?.StartPeriod)]);
        List(json, [Text(health?.Retries)]);
        List(json, [Text(one.Limits.MemoryBytes), Text(one.Limits.CpuThousandths), Text(one.Limits.Pids)]);
        List(json, one.AddedCapabilities);
        List(json, one.DroppedCapabilities);
        List(json, [YesNo(one.ReadOnlyRoot), YesNo(one.Init)]);
        json.WriteEndArray();
    }

    private static void List(Utf8JsonWriter json, IEnumerable<string?>? texts)
    {
        if (texts is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartArray();
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static void Pairs(Utf8JsonWriter json, IEnumerable<KeyValuePair<string, string>> pairs) =>
        List(json, pairs.SelectMany(pair => (string[])[pair.Key, pair.Value]));

    private static string? Text(long? value) => value?.ToString(CultureInfo.InvariantCulture);

    private static string YesNo(bool value) => value ? "yes" : "no";

    private static string? Ticks(TimeSpan? span) => Text(span?.Ticks);
}
