using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Agent.Benchmarks;

/// <summary>One line for each figure: what, ours, the limit or peer beside it, their ratio, and the budget.</summary>
internal static class Report
{
    public static void Head() => Line("what", "ours", "limit", "ratio", "budget");

    /// <summary>A figure beside a limit that was measured in the same run.</summary>
    public static void Ratio(string what, double ours, double limit, string unit, string budget) =>
        Line(what, $"{Number(ours)} {unit}", Number(limit), (ours / limit).ToString("0.00", CultureInfo.InvariantCulture), budget);

    /// <summary>A figure that stands for itself.</summary>
    public static void Figure(string what, double ours, string unit, string budget = "") =>
        Line(what, $"{Number(ours)} {unit}", "", "", budget);

    public static void Skipped(string what, string why) => Line(what, why, "", "", "");

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        var middle = sorted.Count / 2;
        return sorted.Count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static string Number(double value) =>
        value.ToString(value < 100 ? "0.##" : "#,0", CultureInfo.InvariantCulture);

    private static void Line(string what, string ours, string limit, string ratio, string budget) =>
        Console.WriteLine($"{what,-46}{ours,20}{limit,14}{ratio,8}  {budget}".TrimEnd());
}
