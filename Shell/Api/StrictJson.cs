using System;
using System.Collections.Generic;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Agent.Shell.Api;

/// <summary>
/// Reads a request body strictly: an unknown property, a property given twice or a value of another type is an error
/// that names the field. What a caller misspelt must not be silently ignored.
/// </summary>
internal static class StrictJson
{
    // Requests nest two deep; more is not a request of this API.
    private const int MaxDepth = 8;

    /// <summary>The value, or the field at fault and what is wrong with it. An empty body is an empty object.</summary>
    public static (T? Value, string Field, string? Fault) Read<T>(ReadOnlySpan<byte> body, JsonTypeInfo<T> type)
        where T : class
    {
        if (body.IsEmpty) body = "{}"u8;
        try
        {
            if (Repeated(body) is { } name) return (null, name, "is given twice");
            var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = MaxDepth });
            var value = JsonSerializer.Deserialize(ref reader, type);
            return value is null ? (null, "", "the body must be a JSON object") : (value, "", null);
        }
        catch (JsonException failure)
        {
            return (null, FieldOf(failure), Explain(failure));
        }
        catch (InvalidOperationException)
        {
            // The reader's word for a string that is not Unicode: half of a surrogate pair.
            return (null, "", "a string is not valid Unicode");
        }
    }

    /// <summary>The path of the first property that its object already has.</summary>
    private static string? Repeated(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = MaxDepth });
        var open = new Stack<HashSet<string>>();
        var path = new List<string>();
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    open.Push(new(StringComparer.Ordinal));
                    path.Add("");
                    break;
                case JsonTokenType.EndObject:
                    open.Pop();
                    path.RemoveAt(path.Count - 1);
                    break;
                case JsonTokenType.PropertyName:
                    path[^1] = reader.GetString() ?? "";
                    if (!open.Peek().Add(path[^1])) return string.Join('.', path);
                    break;
                default:
                    break;
            }
        }

        return null;
    }

    /// <summary>The path as people write it: $.env['a-b'] is env.a-b.</summary>
    private static string FieldOf(JsonException failure) => (failure.Path ?? "").TrimStart('$')
        .Replace("['", ".", StringComparison.Ordinal).Replace("']", "", StringComparison.Ordinal).TrimStart('.');

    private static string Explain(JsonException failure) =>
        failure.Message.Contains("could not be mapped", StringComparison.Ordinal) ? "is not known here"
        : failure.Message.Contains("could not be converted", StringComparison.Ordinal) ? "has a value of another type"
        : $"is not valid JSON at line {failure.LineNumber + 1}, byte {failure.BytePositionInLine}";
}
