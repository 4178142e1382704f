using System;
using System.Buffers;
using System.Linq;
using System.Text;
using System.Text.Json;

namespace Agent.Shell.Api;

/// <summary>
/// What a journal record says about one thing: its seq, its instant, the event and the effects that concern it.
/// Events that concern many, such as a start of the agent, are cut to their type and the rows about this thing, so nobody
/// reads of what is others'.
/// </summary>
internal sealed class Explanation
{
    private readonly Func<JsonElement, bool> _isOwn;
    private readonly Func<JsonElement, bool, bool> _isEffect;
    private readonly byte[][] _hints;

    private Explanation(
        Func<JsonElement, bool> isOwn, Func<JsonElement, bool, bool> isEffect, params byte[][] hints)
    {
        _isOwn = isOwn;
        _isEffect = isEffect;
        _hints = hints;
    }

    /// <summary>Which rows of an event that concerns many are about this thing.</summary>
    private Func<JsonElement, bool> IsRow { get; init; } = static _ => false;

    /// <summary>Everything that was asked of it or happened to it; that somebody used it decides nothing.</summary>
    public static Explanation OfProcess(string id) => new(
        @event => Text(@event, "id") == id && Inner(@event) != "touched",
        (effect, own) => Text(effect, "id") == id || (own && Text(effect, "type") == "processReject"),
        Encoding.UTF8.GetBytes(id))
    {
        IsRow = row => Text(row, "id") == id,
    };

    /// <summary>An exit with a log tail is a daemon's; a probe that passed decides nothing by itself.</summary>
    public static Explanation OfRuntime() => new(
        @event => Text(@event, "type") == "runtime"
            ? Inner(@event) != "probePassed"
            : Inner(@event) == "exitObserved" && @event.GetProperty("event"u8).TryGetProperty("logTail"u8, out var tail)
                && tail.GetArrayLength() > 0,
        (effect, _) => Text(effect, "type") is "startRuntime" or "stopDaemons" or "runtimeReject",
        "untime"u8.ToArray(),
        "stopDaemons"u8.ToArray(),
        "logTail"u8.ToArray());

    /// <summary>What was ordered, asked and told of it, and what was done about it.</summary>
    public static Explanation OfRollout(string id) => new(
        @event => Text(@event, "id") == id || Ordered(@event) == id,
        (effect, own) => Text(effect, "id") == id || Ordered(effect) == id
            || (own && Text(effect, "type") == "rolloutReject"),
        Encoding.UTF8.GetBytes(id));

    /// <summary>
    /// What was asked and told of it, and the calls that were made for it. An event that concerns all containers, such as
    /// a list of the engine's, is there with its calls for this one.
    /// </summary>
    public static Explanation OfContainer(string uid) => new(
        @event => @event.TryGetProperty("event"u8, out var inner) && Text(inner, "type") == "one" && Text(inner, "uid") == uid,
        (effect, own) => Text(effect, "uid") == uid || (own && Text(effect, "type") == "containerReject"),
        Encoding.UTF8.GetBytes($"\"uid\":\"{uid}\""));

    /// <summary>As of a container: what was asked and told of it, and what was done to it.</summary>
    public static Explanation OfCompanion(string name) => new(
        @event => @event.TryGetProperty("event"u8, out var inner) && Text(inner, "type") == "one" && Text(inner, "name") == name,
        (effect, own) => Text(effect, "name") == name || (own && Text(effect, "type") == "companionReject"),
        Encoding.UTF8.GetBytes($"\"name\":\"{name}\""));

    /// <summary>A line about this thing, or null if the record does not concern it.</summary>
    public byte[]? Excerpt(ReadOnlyMemory<byte> record)
    {
        if (!Array.Exists(_hints, hint => record.Span.IndexOf(hint) >= 0)) return null;
        using var document = JsonDocument.Parse(record);
        var root = document.RootElement;
        var @event = root.GetProperty("event"u8);
        var own = _isOwn(@event);
        if (!own && !ConcernsByEffect(root)) return null;
        var line = new ArrayBufferWriter<byte>(record.Length);
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            Copy(json, root, "seq");
            Copy(json, root, "at");
            json.WritePropertyName("event"u8);
            if (own) @event.WriteTo(json);
            else WriteShared(json, @event);
            WriteEffects(json, root, own);
            json.WriteEndObject();
        }

        line.Write("\n"u8);
        return line.WrittenSpan.ToArray();
    }

    private bool ConcernsByEffect(JsonElement root)
    {
        if (!root.TryGetProperty("effects"u8, out var effects)) return false;
        foreach (var effect in effects.EnumerateArray())
        {
            if (_isEffect(effect, false)) return true;
        }

        return false;
    }

    private void WriteEffects(Utf8JsonWriter json, JsonElement root, bool own)
    {
        if (!root.TryGetProperty("effects"u8, out var effects)) return;
        json.WriteStartArray("effects"u8);
        foreach (var effect in effects.EnumerateArray())
        {
            if (_isEffect(effect, own)) effect.WriteTo(json);
        }

        json.WriteEndArray();
    }

    private void WriteShared(Utf8JsonWriter json, JsonElement @event)
    {
        json.WriteStartObject();
        Copy(json, @event, "type");
        foreach (var list in @event.EnumerateObject().Where(one => one.Value.ValueKind == JsonValueKind.Array))
        {
            var rows = list.Value.EnumerateArray().Where(row => row.ValueKind == JsonValueKind.Object && IsRow(row)).ToList();
            if (rows.Count == 0) continue;
            json.WriteStartArray(list.Name);
            foreach (var row in rows) row.WriteTo(json);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void Copy(Utf8JsonWriter json, JsonElement from, string name)
    {
        if (!from.TryGetProperty(name, out var value)) return;
        json.WritePropertyName(name);
        value.WriteTo(json);
    }

    private static string? Ordered(JsonElement of) => of.TryGetProperty("order"u8, out var order) ? Text(order, "id") : null;

    private static string? Inner(JsonElement @event) =>
        @event.TryGetProperty("event"u8, out var inner) ? Text(inner, "type") : null;

    private static string? Text(JsonElement from, string name) =>
        from.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
