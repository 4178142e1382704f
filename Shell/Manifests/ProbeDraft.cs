using System;
using System.Collections.Generic;
using System.Linq;
using Agent.Core.Rollout;
using Agent.Shell.Config;
using Agent.Shell.Trust;

namespace Agent.Shell.Manifests;

/// <summary>The probes of a draft: a map of names; each has one of the kinds as a key, and the usual names beside it.</summary>
internal static class ProbeDraft
{
    private static readonly string[] Kinds = ["http", "tcp", "exec", "process", "runtime", "container", "evidence"];

    private static readonly string[] Modes = ["enforce", "observe", "disabled"];

    public static IEnumerable<Json> ReadAll(YamlNode node, Values values, Mistakes mistakes)
    {
        foreach (var (name, at, value) in values.Map(node, "probes"))
        {
            if (ProbeName.Parse(name).IsNone) mistakes.Add(at, $"\"{name}\" is no name of a probe: letters, digits, -, _ and .");
            yield return Read(name, at, value, values, mistakes);
        }
    }

    private static Json.Object Read(string name, Place at, YamlNode node, Values values, Mistakes mistakes)
    {
        var members = new List<Json.Member> { new("name", new Json.String(name)) };
        var kinds = new List<string>();
        foreach (var (key, _, value) in values.Entries(
            node, name,
            [
                .. Kinds, "mode", "interval", "timeout", "initialDelay", "successThreshold", "failureThreshold", "status",
                "contains", "maxAge", "framework", "controls",
            ]))
        {
            if (Kinds.Contains(key)) kinds.Add(key);
            if (Member(key, value, values) is { } member) members.Add(member);
        }

        if (kinds.Count != 1) mistakes.Add(at, $"the probe {name} needs exactly one of {string.Join(", ", Kinds)}");
        foreach (var (key, fallback) in Defaults(kinds.FirstOrDefault()))
        {
            if (!members.Exists(member => member.Name == key)) members.Add(new(key, fallback));
        }

        return new(members);
    }

    private static Json.Member? Member(string key, YamlNode value, Values values)
    {
        return key switch
        {
            "http" => Text("address"),
            "tcp" => Text("endpoint"),
            "exec" => new("command", new Json.Array([.. values.Texts(value, key).Select(word => new Json.String(word))])),
            "process" => Text("service"),
            "runtime" => values.Choice(value, key, "ready") is null ? null : new("runtime", new Json.Boolean(true)),
            "container" or "contains" or "framework" => Text(key),
            "evidence" => values.AbsolutePath(value, key) is { } path ? new(key, new Json.String(path)) : null,
            "mode" => values.Choice(value, key, Modes) is { } mode ? new(key, new Json.String(mode)) : null,
            "status" => Number(100, 599),
            "successThreshold" or "failureThreshold" => Number(1, ProbeSpec.MaxThreshold),
            "interval" => Span(ProbeSpec.ShortestInterval),
            "timeout" => Span(ProbeSpec.ShortestTimeout),
            "initialDelay" => Span(TimeSpan.Zero),
            "maxAge" => Span(TimeSpan.FromSeconds(1)),
            _ => new("controls", Controls(value, values)),
        };

        Json.Member? Text(string name) => values.Text(value, key) is { } text ? new(name, new Json.String(text)) : null;

        Json.Member? Number(int least, int most) =>
            values.Number(value, key, least, most) is { } number ? new(key, new Json.Number(number)) : null;

        Json.Member? Span(TimeSpan least) =>
            values.Duration(value, key, least, RolloutPolicy.Longest) is { } span ? new(key + "Ms", Of(span)) : null;
    }

    private static Json.Array Controls(YamlNode node, Values values)
    {
        var controls = new List<Json>();
        foreach (var (id, _, value) in values.Map(node, "controls"))
        {
            var members = new List<Json.Member> { new("id", new Json.String(id)) };
            foreach (var (key, _, item) in values.Entries(value, id, "mode", "reason"))
            {
                var text = key == "mode" ? values.Choice(item, key, Modes) : values.Text(item, key);
                if (text is not null) members.Add(new(key, new Json.String(text)));
            }

            controls.Add(new Json.Object(members));
        }

        return new(controls);
    }

    private static IEnumerable<(string Name, Json Value)> Defaults(string? kind)
    {
        yield return ("mode", new Json.String("enforce"));
        yield return ("intervalMs", Of(ProbeSpec.DefaultInterval));
        yield return ("timeoutMs", Of(ProbeSpec.DefaultTimeout));
        yield return ("initialDelayMs", Of(TimeSpan.Zero));
        yield return ("successThreshold", new Json.Number(1));
        yield return ("failureThreshold", new Json.Number(1));
        if (kind == "http") yield return ("status", new Json.Number(200));
        if (kind == "evidence") yield return ("maxAgeMs", Of(TimeSpan.FromHours(24)));
    }

    private static Json.Number Of(TimeSpan span) => new(span.TotalMilliseconds);
}
