using System;
using System.Collections.Generic;
using System.Linq;
using Agent.Shell.Config;

namespace Agent.Shell.Containers.Compose;

/// <summary>Reads `healthcheck`.</summary>
internal sealed class ComposeHealthReader(ComposeValues values)
{
    /// <summary>The engine's own minimum; it takes a zero for its default.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(1);

    private static readonly TimeSpan Most = TimeSpan.FromDays(1);

    private const int MostRetries = 1000;

    private static readonly Dictionary<string, string> Refused = new(StringComparer.Ordinal)
    {
        ["start_interval"] = "not every engine knows it; see interval",
    };

    public ContainerHealthcheck? Read(YamlNode node)
    {
        var check = new ContainerHealthcheck([], null, null, null, null);
        foreach (var (key, _, value) in values.Entries(
            node, "healthcheck", Refused, "test", "interval", "timeout", "start_period", "retries", "disable"))
        {
            check = key switch
            {
                "test" => check with { Test = ReadTest(value) },
                "disable" => values.Flag(value, key) == true ? check with { Test = ["NONE"] } : check,
                "interval" => check with { Interval = Span(value, key) },
                "timeout" => check with { Timeout = Span(value, key) },
                "start_period" => check with { StartPeriod = Span(value, key) },
                _ => check with { Retries = values.Plain.Number(value, key, 1, MostRetries) },
            };
        }

        // Without a test the image's own is meant, with other times.
        return check;
    }

    private TimeSpan? Span(YamlNode node, string key) => values.Plain.Duration(node, key, Least, Most);

    private List<string> ReadTest(YamlNode node)
    {
        if (node is YamlNode.Text) return values.Text(node, "test") is { } line ? ["CMD-SHELL", line] : [];
        var test = values.Texts(node, "test").Select(one => one.Text).ToList();
        if (test is ["NONE"] or ["CMD", _, ..] or ["CMD-SHELL", _] || node is YamlNode.Refused) return test;
        values.Wrong(node.At, "test is a line for a shell, or a list that begins with CMD, CMD-SHELL or NONE");
        return [];
    }
}
