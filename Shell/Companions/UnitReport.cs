using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Agent.Core.Companion;
using Agent.Shell.Effects;
using Agent.Shell.Observability;

namespace Agent.Shell.Companions;

/// <summary>What `systemctl show` says of one unit: lines of `name=value`, of which some matter here.</summary>
internal sealed class UnitReport
{
    /// <summary>A unit's own account of a failure is a sentence or two; in bytes.</summary>
    private const int LongestWords = 500;

    private static readonly string[] Wanted =
        ["LoadState", "ActiveState", "SubState", "FragmentPath", "Result", "ExecMainCode", "ExecMainStatus", "LoadError", "StatusText"];

    private readonly Dictionary<string, string> _facts = new(StringComparer.Ordinal);

    private UnitReport(string block)
    {
        foreach (var line in block.Split('\n'))
        {
            var parts = line.Split('=', 2);
            if (parts.Length == 2) _facts[parts[0]] = parts[1];
        }
    }

    public static string Properties { get; } = "--property=" + string.Join(',', Wanted);

    /// <summary>One report for each unit that was asked for, in that order.</summary>
    /// <exception cref="IOException">There are more or fewer.</exception>
    public static IReadOnlyList<UnitReport> Read(string shown, int units)
    {
        var blocks = shown.Split("\n\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return blocks.Length == units
            ? [.. blocks.Select(block => new UnitReport(block))]
            : throw new IOException($"systemctl told of {blocks.Length} units, it was asked of {units}");
    }

    /// <summary>The file that systemd goes by; empty where there is none.</summary>
    public string Fragment => Of("FragmentPath");

    /// <summary>Why a unit of ours is not what systemd goes by; null if it may be.</summary>
    public string? WhyForeign(string path) =>
        Of("LoadState") == "masked" ? "it is masked"
        : Fragment is { Length: > 0 } from && from != path ? $"systemd takes it from {from}"
        : null;

    public UnitActivity Activity => Of("ActiveState") switch
    {
        "active" or "reloading" or "refreshing" => new UnitActivity.Active(),
        "activating" => new UnitActivity.Activating(Again: Of("SubState").StartsWith("auto-restart", StringComparison.Ordinal)),
        "deactivating" => new UnitActivity.Deactivating(),
        "failed" => new UnitActivity.Failed(Words()),
        "inactive" => Of("LoadState") switch
        {
            "loaded" => new UnitActivity.Inactive(),
            "not-found" => new UnitActivity.Missing(),
            "bad-setting" or "error" => new UnitActivity.Failed(Words()),
            var other => new UnitActivity.Unknown($"{other} inactive"),
        },
        var other => new UnitActivity.Unknown(other),
    };

    /// <summary>Nothing that differs from look to look: a belief that is confirmed is not written down again.</summary>
    private string Words()
    {
        List<string> words = [];
        if (Of("LoadError") is { Length: > 0 } error) words.Add(error);
        if (Of("Result") is { Length: > 0 } result and not "success") words.Add($"Result={result}");

        // The kernel's codes for a child that exited, was killed, or was killed and left a core.
        if (Of("ExecMainCode") is "1" && Of("ExecMainStatus") is not "0" and var code) words.Add($"exited with {code}");
        if (Of("ExecMainCode") is "2" or "3") words.Add($"killed by signal {Of("ExecMainStatus")}");
        if (Of("StatusText") is { Length: > 0 } text) words.Add($"\"{text}\"");
        var all = words.Count == 0 ? "failed" : string.Join(", ", words);
        return BoundedText.Cut(all, LongestWords);
    }

    private string Of(string name) => _facts.GetValueOrDefault(name, "");
}
