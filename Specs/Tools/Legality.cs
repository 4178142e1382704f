using System.Text;
using Xunit;

namespace Agent.Specs.Tools;

/// <summary>
/// A table of states and events: `+` where the event means something, `.` where it is refused. Rows and columns come
/// from the unions themselves, so a new case differs from the written table until its row is written.
/// </summary>
public static class Legality
{
    public static void Check<TRow, TColumn>(
        string expected,
        IEnumerable<TRow> rows,
        IEnumerable<TColumn> columns,
        Func<TRow, TColumn, string> cell,
        Func<object, string>? name = null)
        where TRow : notnull
        where TColumn : notnull
    {
        var found = Render([.. rows], [.. columns], cell, name ?? Name);
        Assert.True(found == expected.ReplaceLineEndings("\n").Trim('\n'), $"the table is in truth\n{found}");
    }

    private static string Render<TRow, TColumn>(
        List<TRow> rows, List<TColumn> columns, Func<TRow, TColumn, string> cell, Func<object, string> name)
        where TRow : notnull
        where TColumn : notnull
    {
        // The events stand down the side: their names are longer and they are more than the states.
        var table = new List<string[]> { (string[])["", "|", .. rows.Select(row => name(row))] };
        foreach (var column in columns)
        {
            table.Add([name(column), "|", .. rows.Select(row => cell(row, column))]);
        }

        var widths = Enumerable.Range(0, table[0].Length).Select(i => table.Max(line => line[i].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var line in table)
        {
            text.AppendJoin(' ', line.Select((word, i) => word.PadRight(widths[i])));
            while (text[^1] == ' ') text.Length--;
            text.Append('\n');
        }

        return text.ToString().TrimEnd('\n');
    }

    /// <summary>How a row or column is headed unless its spec tells two of one case apart.</summary>
    public static string Name(object value) => value as string ?? value.GetType().Name;
}
