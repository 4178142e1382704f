using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using Agent.Shell.Config;

namespace Agent.Shell.Cli;

/// <summary>How answers look to people: aligned tables, short ages, colour on a terminal that wants it.</summary>
internal static class Screen
{
    public static bool HasColour { get; set; }

    public static string Green(string text) => Paint("32", text);

    public static string Yellow(string text) => Paint("33", text);

    public static string Red(string text) => Paint("31", text);

    public static string Bold(string text) => Paint("1", text);

    public static string Dim(string text) => Paint("2", text);

    /// <summary>How long ago, in whole seconds.</summary>
    public static string Age(long milliseconds) => Durations.Show(TimeSpan.FromSeconds(Math.Max(0, milliseconds / 1000)));

    /// <summary>
    /// What others chose (labels, commands, output) on one line and without power over the terminal: control
    /// characters are shown, not sent.
    /// </summary>
    public static string Clean(string text)
    {
        if (!text.Any(char.IsControl)) return text;
        var clean = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            clean.Append(c switch
            {
                '\n' => "\\n",
                '\t' => " ",
                _ when char.IsControl(c) => string.Create(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}"),
                _ => c.ToString(),
            });
        }

        return clean.ToString();
    }

    /// <summary>Columns as wide as their widest cell; the last one is left as it is.</summary>
    public static IEnumerable<string> Table(IReadOnlyList<string> heads, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var widths = heads.Select((head, column) =>
            Math.Max(head.Length, rows.Select(row => Visible(row[column])).DefaultIfEmpty(0).Max())).ToList();
        yield return Dim(Line(heads, widths));
        foreach (var row in rows) yield return Line(row, widths);
    }

    public static string Cut(string text, int width)
    {
        if (Visible(text) <= width) return text;
        var plain = Plain(text);
        return plain[..Math.Max(0, Math.Min(plain.Length, width - 1))] + "…";
    }

    private static string Line(IReadOnlyList<string> cells, List<int> widths)
    {
        var line = new StringBuilder();
        for (var i = 0; i < cells.Count; i++)
        {
            line.Append(cells[i]);
            if (i + 1 < cells.Count) line.Append(' ', widths[i] - Visible(cells[i]) + 2);
        }

        return line.ToString();
    }

    private static string Paint(string code, string text) => HasColour ? $"\e[{code}m{text}\e[0m" : text;

    private static int Visible(string text) => Plain(text).Length;

    private static string Plain(string text)
    {
        if (!text.Contains('\e', StringComparison.Ordinal)) return text;
        var plain = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\e') i = text.IndexOf('m', i);
            else plain.Append(text[i]);
        }

        return plain.ToString();
    }

    public static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
