using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Agent.Benchmarks.Supervision;

/// <summary>One thing that is measured of every supervisor; less is better.</summary>
internal sealed record Row(string Name, string Unit, string Budget = "");

/// <summary>Rows of figures side by side, the best of each marked, and a line for each row in which ours is not the best.</summary>
internal sealed class Table(IReadOnlyList<string> ours, IReadOnlyList<string> peers)
{
    private const int NameWidth = 52;
    private const int CellWidth = 12;

    private readonly List<Row> _rows = [];
    private readonly Dictionary<(Row Row, string Column), double> _cells = [];

    private IEnumerable<string> Columns => ours.Concat(peers);

    /// <summary>Null where it cannot be had from this one; the cell then says so with a dash.</summary>
    public void Set(Row row, string column, double? value)
    {
        if (!_rows.Contains(row)) _rows.Add(row);
        if (value is { } known) _cells[(row, column)] = known;
    }

    public void Print()
    {
        Line("supervision", Columns, "budget of ours");
        foreach (var row in _rows)
        {
            var best = Of(row, Columns).Select(cell => (double?)cell.Value).Min();
            Line($"{row.Name}, {row.Unit}", Columns.Select(column => Cell(row, column, best)), row.Budget);
        }

        Console.WriteLine();
        foreach (var row in _rows) TellIfBeaten(row);
    }

    private static void Line(string name, IEnumerable<string> cells, string budget) => Console.WriteLine(
        (name.PadRight(NameWidth) + string.Concat(cells.Select(cell => cell.PadLeft(CellWidth))) + "  " + budget).TrimEnd());

    private static string Number(double value) =>
        value.ToString(value < 10 ? "0.##" : value < 100 ? "0.#" : "#,0", CultureInfo.InvariantCulture);

    private string Cell(Row row, string column, double? best) =>
        !_cells.TryGetValue((row, column), out var value) ? "-" : Number(value) + (value <= best ? " *" : "  ");

    private IEnumerable<(string Column, double Value)> Of(Row row, IEnumerable<string> columns) =>
        columns.Where(column => _cells.ContainsKey((row, column))).Select(column => (column, _cells[(row, column)]));

    private void TellIfBeaten(Row row)
    {
        var (mine, theirs) = (Of(row, ours).ToList(), Of(row, peers).ToList());
        if (mine.Count == 0 || theirs.Count == 0) return;
        var (own, best) = (mine.MinBy(cell => cell.Value), theirs.MinBy(cell => cell.Value));
        if (own.Value <= best.Value) return;
        var times = best.Value > 0
            ? $", {Number(own.Value / best.Value)} times as much"
            : $", {Number(own.Value - best.Value)} more";
        Console.WriteLine(
            $"not the best: {row.Name}: {own.Column} {Number(own.Value)} {row.Unit}, {best.Column} {Number(best.Value)}{times}");
    }
}
