using System.Buffers;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Net.Http;
using System.Text.Json;

namespace Agent.Shell.Containers.Engine;

/// <summary>A definition in the words of `POST /containers/create`.</summary>
internal static class CreateBody
{
    /// <summary>The engine counts processors in billionths.</summary>
    private const long NanosOfThousandth = 1_000_000;

    private const long NanosOfTick = 100;

    public static HttpContent Of(
        ContainerDefinition one, ContainerLabels names, IEnumerable<KeyValuePair<string, string>> marks)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text)) Write(json, one, names, marks);
        var content = new ReadOnlyMemoryContent(text.WrittenMemory);
        content.Headers.ContentType = new("application/json");
        return content;
    }

    private static void Write(
        Utf8JsonWriter json, ContainerDefinition one, ContainerLabels names, IEnumerable<KeyValuePair<string, string>> marks)
    {
        json.WriteStartObject();
        json.WriteString("Image", one.Image);
        Texts(json, "Entrypoint", one.Entrypoint);
        Texts(json, "Cmd", one.Command);
        Texts(json, "Env", one.Environment.Select(pair => $"{pair.Key}={pair.Value}"));
        if (one.User is not null) json.WriteString("User", one.User);
        if (one.WorkingDirectory is not null) json.WriteString("WorkingDir", one.WorkingDirectory);
        if (one.Hostname is not null) json.WriteString("Hostname", one.Hostname);
        if (one.StopSignal is not null) json.WriteString("StopSignal", one.StopSignal);
        Health(json, one.Healthcheck);
        json.WriteStartObject("Labels");
        foreach (var (key, value) in one.Labels.Concat(marks)) json.WriteString(key, value);
        json.WriteEndObject();
        json.WriteStartObject("ExposedPorts");
        foreach (var port in one.Ports.Select(Inside).Distinct())
        {
            json.WriteStartObject(port);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        Host(json, one, names);
        if (one.NetworkMode is null) Network(json, one, names);
        json.WriteEndObject();
    }

    private static void Host(Utf8JsonWriter json, ContainerDefinition one, ContainerLabels names)
    {
        json.WriteStartObject("HostConfig");
        json.WriteStartObject("RestartPolicy");
        json.WriteString("Name", "no");
        json.WriteEndObject();
        json.WriteString("NetworkMode", one.NetworkMode ?? names.Prefix);
        if (one.Limits.MemoryBytes is { } memory) json.WriteNumber("Memory", memory);
        if (one.Limits.CpuThousandths is { } cpu) json.WriteNumber("NanoCpus", cpu * NanosOfThousandth);
        if (one.Limits.Pids is { } pids) json.WriteNumber("PidsLimit", pids);
        json.WriteBoolean("ReadonlyRootfs", one.ReadOnlyRoot);
        if (one.Init) json.WriteBoolean("Init", true);
        Texts(json, "CapAdd", one.AddedCapabilities);
        Texts(json, "CapDrop", one.DroppedCapabilities);
        Texts(json, "ExtraHosts", one.ExtraHosts.Select(pair => $"{pair.Key}:{pair.Value}"));
        Ports(json, one.Ports);
        json.WriteStartArray("Mounts");
        foreach (var mount in one.Mounts) Mount(json, mount, names);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Mount(Utf8JsonWriter json, ContainerMount mount, ContainerLabels names)
    {
        json.WriteStartObject();
        json.WriteString("Type", mount.Kind switch
        {
            MountKind.Bind => "bind",
            MountKind.Tmpfs => "tmpfs",
            _ => "volume",
        });
        var own = mount is { Kind: MountKind.Volume, Source.Length: > 0 };
        if (mount.Source.Length > 0) json.WriteString("Source", own ? $"{names.Prefix}-{mount.Source}" : mount.Source);
        json.WriteString("Target", mount.Target);
        json.WriteBoolean("ReadOnly", mount.ReadOnly);
        if (own)
        {
            json.WriteStartObject("VolumeOptions");
            json.WriteStartObject("Labels");
            json.WriteString(ContainerLabels.InstanceKey, names.Instance);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        if (mount.TmpfsBytes is { } bytes)
        {
            json.WriteStartObject("TmpfsOptions");
            json.WriteNumber("SizeBytes", bytes);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void Ports(Utf8JsonWriter json, IReadOnlyList<PublishedPort> ports)
    {
        json.WriteStartObject("PortBindings");
        foreach (var inside in ports.GroupBy(Inside))
        {
            json.WriteStartArray(inside.Key);
            foreach (var port in inside)
            {
                json.WriteStartObject();
                json.WriteString("HostIp", port.HostAddress);
                json.WriteString("HostPort", port.HostPort?.ToString(CultureInfo.InvariantCulture) ?? "");
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void Network(Utf8JsonWriter json, ContainerDefinition one, ContainerLabels names)
    {
        json.WriteStartObject("NetworkingConfig");
        json.WriteStartObject("EndpointsConfig");
        json.WriteStartObject(names.Prefix);
        Texts(json, "Aliases", [one.Uid.Value]);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Health(Utf8JsonWriter json, ContainerHealthcheck? health)
    {
        if (health is null) return;
        json.WriteStartObject("Healthcheck");
        Texts(json, "Test", health.Test);
        if (health.Interval is { } interval) json.WriteNumber("Interval", interval.Ticks * NanosOfTick);
        if (health.Timeout is { } timeout) json.WriteNumber("Timeout", timeout.Ticks * NanosOfTick);
        if (health.StartPeriod is { } period) json.WriteNumber("StartPeriod", period.Ticks * NanosOfTick);
        if (health.Retries is { } retries) json.WriteNumber("Retries", retries);
        json.WriteEndObject();
    }

    private static string Inside(PublishedPort port) =>
        string.Create(CultureInfo.InvariantCulture, $"{port.ContainerPort}/{port.Protocol}");

    private static void Texts(Utf8JsonWriter json, string name, IEnumerable<string>? texts)
    {
        if (texts is null) return;
        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
