using System.Text.Json;

namespace Agent.Shell.Cli;

/// <summary>Parts of a journal record on their way into a sentence. An excerpt may leave any of them out: then it is nothing.</summary>
internal static class RecordParts
{
    public static JsonElement Part(JsonElement e, string name) =>
        e.ValueKind == JsonValueKind.Object && e.TryGetProperty(name, out var part) ? part : default;

    /// <summary>A text without what could play with a terminal.</summary>
    public static string Text(JsonElement e, string name) =>
        Part(e, name) is { ValueKind: JsonValueKind.String } value ? Screen.Clean(value.GetString()!) : "";

    public static JsonElement.ArrayEnumerator Items(JsonElement e, string name) =>
        Part(e, name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : default;

    public static int Count(JsonElement e, string name) =>
        Part(e, name) is { ValueKind: JsonValueKind.Array } list ? list.GetArrayLength() : 0;
}
