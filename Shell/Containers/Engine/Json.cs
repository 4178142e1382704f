using System.Collections.Generic;
using System.Text.Json;

namespace Agent.Shell.Containers.Engine;

/// <summary>
/// Looks into an answer that engines and their versions fill differently: what is missing or of another kind is null.
/// </summary>
internal static class Json
{
    public static JsonElement? Member(this JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value)
            && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined)
            ? value
            : null;

    public static JsonElement? Member(this JsonElement? of, string name) => of?.Member(name);

    public static string? Text(this JsonElement of, string name) =>
        of.Member(name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    public static string? Text(this JsonElement? of, string name) => of?.Text(name);

    public static long? Number(this JsonElement of, string name) =>
        of.Member(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var value) ? value : null;

    public static long? Number(this JsonElement? of, string name) => of?.Number(name);

    public static bool Is(this JsonElement? of, string name) => of.Member(name) is { ValueKind: JsonValueKind.True };

    public static IEnumerable<JsonElement> Items(this JsonElement? of)
    {
        if (of is not { ValueKind: JsonValueKind.Array } array) yield break;
        foreach (var item in array.EnumerateArray()) yield return item;
    }
}
