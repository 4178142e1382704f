using System;
using System.Buffers;
using System.Collections.Generic;
using System.Text;
using System.Text.Json;
using Agent.Core.Model;

namespace Agent.Shell.Containers.Engine;

/// <summary>The engine's `filters` parameter: JSON in a query.</summary>
internal static class EngineFilter
{
    public static string Of(ContainerLabels names, ContainerUid? uid)
    {
        var instance = $"{ContainerLabels.InstanceKey}={names.Instance}";
        return Of([new("label", uid is null ? [instance] : [instance, $"{ContainerLabels.UidKey}={uid}"])]);
    }

    public static string Of(IEnumerable<KeyValuePair<string, string[]>> filters)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            foreach (var (name, values) in filters)
            {
                json.WriteStartArray(name);
                foreach (var value in values) json.WriteStringValue(value);
                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        return Uri.EscapeDataString(Encoding.UTF8.GetString(text.WrittenSpan));
    }
}
