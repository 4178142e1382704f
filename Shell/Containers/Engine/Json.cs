using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;

namespace Agent.Shell.Containers.Engine;

/// <summary>
/// Looks into an answer that engines and their versions fill differently: what is missing or of another kind is null.
/// </summary>
internal static class Json
{
    public static JsonElement? Member(this JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && Find(of, name) is { } value
            && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined)
            ? value
            : null;

    public static JsonElement? Member(this JsonElement? of, string name) => of?.Member(name);

    public static string? Text(this JsonElement of, string name) =>
        of.Member(name)?.Text();

    public static string? Text(this JsonElement? of, string name) => of?.Text(name);

    /// <summary>Half a character, or bytes that are none, parse well and are no text.</summary>
    public static string? Text(this JsonElement of)
    {
        try
        {
            return of.ValueKind == JsonValueKind.String ? of.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    public static long? Number(this JsonElement of, string name) =>
        of.Member(name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var value) ? value : null;

    public static long? Number(this JsonElement? of, string name) => of?.Number(name);

    public static bool Is(this JsonElement? of, string name) => of.Member(name) is { ValueKind: JsonValueKind.True };

    public static IEnumerable<JsonElement> Items(this JsonElement? of)
    {
        if (of is not { ValueKind: JsonValueKind.Array } array) yield break;
        foreach (var item in array.EnumerateArray()) yield return item;
    }

    /// <summary>A neighbour whose name is no text must not hide what is looked for.</summary>
    private static JsonElement? Find(JsonElement of, string name)
    {
        try
        {
            return of.TryGetProperty(name, out var value) ? value : null;
        }
        catch (InvalidOperationException)
        {
            return of.EnumerateObject().Where(one => IsCalled(one, name)).Select(one => (JsonElement?)one.Value).LastOrDefault();
        }
    }

    private static bool IsCalled(JsonProperty one, string name)
    {
        try
        {
            return one.NameEquals(name);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
