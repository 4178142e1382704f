using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace Agent.Shell.Trust;

/// <summary>
/// Writes the one canonical form of a JSON tree (RFC 8785): no blanks, keys in the order of their UTF-16 units, the
/// fewest escapes, and numbers as ECMAScript prints them.
/// </summary>
internal static class Jcs
{
    // ECMAScript writes a number out in full while its point lies within these bounds, else with an exponent.
    private const int LongestWhole = 21;
    private const int MostLeadingZeros = 6;

    // A tree built by hand may hold half of a surrogate pair: that must throw, not be signed as a question mark.
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public static byte[] Write(Json tree) => Strict.GetBytes(Write(tree, new StringBuilder()).ToString());

    /// <summary>A finite double as ECMAScript's Number::toString prints it.</summary>
    public static string Number(double value)
    {
        if (!double.IsFinite(value)) throw new ArgumentOutOfRangeException(nameof(value), value, "JSON has none");
        if (value == 0) return "0";
        var (digits, point) = Shortest(double.Abs(value));
        var sign = value < 0 ? "-" : "";
        if (point is > 0 and <= LongestWhole)
        {
            return point >= digits.Length
                ? sign + digits.PadRight(point, '0')
                : $"{sign}{digits.AsSpan(0, point)}.{digits.AsSpan(point)}";
        }

        if (point is <= 0 and > -MostLeadingZeros) return $"{sign}0.{new string('0', -point)}{digits}";
        var fraction = digits.Length == 1 ? "" : "." + digits[1..];
        return string.Create(CultureInfo.InvariantCulture, $"{sign}{digits[0]}{fraction}e{point - 1:+0;-0}");
    }

    /// <summary>
    /// The fewest digits that read back as the value, and where its point stands: the value is 0.digits × 10^point.
    /// </summary>
    private static (string Digits, int Point) Shortest(double value)
    {
        // "R" gives the fewest digits that round-trip, in one of the forms 123.45, 0.00012345 and 1.2345E+30.
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        var exponentAt = text.IndexOf('E', StringComparison.Ordinal);
        var exponent = exponentAt < 0 ? 0 : int.Parse(text.AsSpan(exponentAt + 1), CultureInfo.InvariantCulture);
        var mantissa = exponentAt < 0 ? text : text[..exponentAt];
        var pointAt = mantissa.IndexOf('.', StringComparison.Ordinal);
        var whole = pointAt < 0 ? mantissa.Length : pointAt;
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        var significant = digits.TrimStart('0');
        return (significant.TrimEnd('0'), whole - (digits.Length - significant.Length) + exponent);
    }

    private static StringBuilder Write(Json tree, StringBuilder to) => tree switch
    {
        Json.Object(var members) => WriteObject(members, to),
        Json.Array(var items) => WriteArray(items, to),
        Json.String(var text) => WriteString(text, to),
        Json.Number(var value) => to.Append(Number(value)),
        Json.Boolean(var value) => to.Append(value ? "true" : "false"),
        Json.Null => to.Append("null"),
    };

    private static StringBuilder WriteObject(IReadOnlyList<Json.Member> members, StringBuilder to)
    {
        var separator = "{";
        foreach (var (name, value) in members.OrderBy(member => member.Name, StringComparer.Ordinal))
        {
            Write(value, WriteString(name, to.Append(separator)).Append(':'));
            separator = ",";
        }

        return to.Append(members.Count == 0 ? "{}" : "}");
    }

    private static StringBuilder WriteArray(IReadOnlyList<Json> items, StringBuilder to)
    {
        var separator = "[";
        foreach (var item in items)
        {
            Write(item, to.Append(separator));
            separator = ",";
        }

        return to.Append(items.Count == 0 ? "[]" : "]");
    }

    private static StringBuilder WriteString(string text, StringBuilder to)
    {
        to.Append('"');
        foreach (var unit in text)
        {
            _ = unit switch
            {
                '"' => to.Append("\\\""),
                '\\' => to.Append("\\\\"),
                '\b' => to.Append("\\b"),
                '\t' => to.Append("\\t"),
                '\n' => to.Append("\\n"),
                '\f' => to.Append("\\f"),
                '\r' => to.Append("\\r"),
                < ' ' => to.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}"),
                _ => to.Append(unit),
            };
        }

        return to.Append('"');
    }
}
