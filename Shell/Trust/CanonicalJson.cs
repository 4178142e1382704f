using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace Agent.Shell.Trust;

/// <summary>
/// Reads JSON that somebody sent, strictly and in a fixed order: size, UTF-8, grammar, then in the order of the text
/// keys given twice, depth, numbers and strings that are not Unicode. Each refusal has its own code.
/// </summary>
internal static class CanonicalJson
{
    /// <summary>No document of this product nests ten deep; all recursion over a tree rests on it.</summary>
    public const int MaxDepth = 64;

    /// <summary>The tree of any JSON text of at most <paramref name="cap"/> bytes.</summary>
    public static Checked<Json> Read(ReadOnlySpan<byte> text, int cap)
    {
        if (text.Length > cap) return new Refusal(TrustFault.TooLarge, $"{Bytes(text.Length)}, more than {Bytes(cap)}");
        if (text.StartsWith("\uFEFF"u8)) return new Refusal(TrustFault.NotUtf8, "it begins with a byte order mark");
        if (!Utf8.IsValid(text)) return new Refusal(TrustFault.NotUtf8, "it holds bytes that are not UTF-8");
        if (GrammarFault(text) is { } fault) return fault;
        var reader = new Utf8JsonReader(text, Unbounded);
        reader.Read();
        return ReadValue(ref reader, 0);
    }

    /// <summary>The tree of a text that is the one canonical form of its content (RFC 8785).</summary>
    public static Checked<Json> ReadCanonical(ReadOnlySpan<byte> text, int cap)
    {
        if (Read(text, cap).Failed(out var tree, out var why)) return why;
        var canonical = Jcs.Write(tree);
        if (text.SequenceEqual(canonical)) return tree;
        var at = text.CommonPrefixLength(canonical);
        return new Refusal(TrustFault.NotCanonical, string.Create(
            CultureInfo.InvariantCulture, $"it is not in the form of RFC 8785 from byte {at} on"));
    }

    /// <summary>Whether a text is valid and in the form of RFC 8785.</summary>
    public static bool IsCanonical(ReadOnlySpan<byte> text) => !ReadCanonical(text, int.MaxValue).Failed(out _, out _);

    // Depth is judged with its own code while the tree is built; the grammar pass costs one bit a level.
    private static JsonReaderOptions Unbounded => new() { MaxDepth = int.MaxValue };

    private static Refusal? GrammarFault(ReadOnlySpan<byte> text)
    {
        var reader = new Utf8JsonReader(text, Unbounded);
        try
        {
            while (reader.Read())
            {
            }

            return null;
        }
        catch (JsonException failure)
        {
            return new(TrustFault.NotJson, string.Create(
                CultureInfo.InvariantCulture, $"line {failure.LineNumber + 1}, byte {failure.BytePositionInLine}"));
        }
    }

    private static Checked<Json> ReadValue(ref Utf8JsonReader reader, int depth) => reader.TokenType switch
    {
        JsonTokenType.StartObject => ReadObject(ref reader, depth + 1),
        JsonTokenType.StartArray => ReadArray(ref reader, depth + 1),
        JsonTokenType.String => ReadString(ref reader).Failed(out var text, out var why) ? why : new Json.String(text),
        JsonTokenType.Number => ReadNumber(ref reader),
        JsonTokenType.Null => new Json.Null(),
        _ => new Json.Boolean(reader.TokenType == JsonTokenType.True),
    };

    private static Checked<Json> ReadObject(ref Utf8JsonReader reader, int depth)
    {
        if (depth > MaxDepth) return TooDeep(reader);
        var members = new List<Json.Member>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            if (ReadString(ref reader).Failed(out var name, out var why)) return why;
            if (!names.Add(name)) return At(TrustFault.DuplicateKey, "a key is given twice", reader);
            reader.Read();
            if (ReadValue(ref reader, depth).Failed(out var value, out why)) return why;
            members.Add(new(name, value));
        }

        return new Json.Object(members);
    }

    private static Checked<Json> ReadArray(ref Utf8JsonReader reader, int depth)
    {
        if (depth > MaxDepth) return TooDeep(reader);
        var items = new List<Json>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (ReadValue(ref reader, depth).Failed(out var item, out var why)) return why;
            items.Add(item);
        }

        return new Json.Array(items);
    }

    private static Checked<Json> ReadNumber(ref Utf8JsonReader reader) =>
        reader.TryGetDouble(out var value) && double.IsFinite(value)
            ? new Json.Number(value)
            : At(TrustFault.NumberOutOfRange, "a number is too large for a double", reader);

    private static Checked<string> ReadString(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            // The bytes are UTF-8, so what is left is the reader's word for an escape of half a surrogate pair.
            return At(TrustFault.LoneSurrogate, "a string escapes half of a surrogate pair", reader);
        }
    }

    private static Refusal TooDeep(in Utf8JsonReader reader) => At(
        TrustFault.TooDeep, string.Create(CultureInfo.InvariantCulture, $"it nests more than {MaxDepth} deep"), reader);

    private static Refusal At(TrustFault fault, string what, in Utf8JsonReader reader) =>
        new(fault, string.Create(CultureInfo.InvariantCulture, $"{what} at byte {reader.TokenStartIndex}"));

    private static string Bytes(int count) => string.Create(CultureInfo.InvariantCulture, $"{count} bytes");
}
