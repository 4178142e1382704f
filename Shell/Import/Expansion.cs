using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Agent.Shell.Import;

/// <summary>`%(name)s` in a value, with what a width such as `%(process_num)02d` asks for; `%%` is a percent sign.</summary>
internal static class Expansion
{
    /// <summary>No value of a supervisord.conf is wider; a format that asks for more is a mistake.</summary>
    private const int MostWidth = 64;

    /// <summary>The value, or what is wrong with it.</summary>
    public static (string Value, string? Fault) Of(string text, IReadOnlyDictionary<string, string> names)
    {
        var value = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                value.Append(text[i]);
            }
            else if (i + 1 < text.Length && text[i + 1] == '%')
            {
                value.Append('%');
                i++;
            }
            else
            {
                var close = text.IndexOf(')', i);
                if (close < 0 || i + 1 == text.Length || text[i + 1] != '(') return ("", Stray(i));
                var name = text[(i + 2)..close];
                if (!names.TryGetValue(name, out var found)) return ("", $"%({name})s is not known here");
                if (Format(text, ref close, found) is not { } formatted)
                {
                    return ("", $"%({name}) is followed by no format such as s or 02d");
                }

                value.Append(formatted);
                i = close;
            }
        }

        return (value.ToString(), null);
    }

    /// <summary>Reads the format behind the parenthesis, up to its letter.</summary>
    private static string? Format(string text, ref int at, string found)
    {
        var from = ++at;
        while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
        if (at == text.Length || text[at] is not ('s' or 'd')) return null;
        var isNumber = long.TryParse(found, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
        if (text[at] == 'd' && !isNumber) return null;
        var digits = text.AsSpan(from, at - from);
        if (digits.IsEmpty) return found;
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var width) || width > MostWidth) return null;
        return text[at] == 'd' && digits[0] == '0' ? found.PadLeft(width, '0') : found.PadLeft(width);
    }

    private static string Stray(int at) =>
        string.Create(CultureInfo.InvariantCulture, $"the % at {at + 1} begins nothing; a percent sign is %%");
}
