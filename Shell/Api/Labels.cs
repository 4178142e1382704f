using System.Collections.Generic;
using System.Text;

namespace Agent.Shell.Api;

/// <summary>The name of a process for people: one short line.</summary>
internal static class Labels
{
    public const int MaxBytes = 128;

    /// <summary>The command as a label, without control characters and cut between two characters.</summary>
    public static string Of(IEnumerable<string> command)
    {
        var label = new StringBuilder();
        var bytes = 0;
        foreach (var rune in string.Join(' ', command).EnumerateRunes())
        {
            if (Rune.IsControl(rune)) continue;
            bytes += rune.Utf8SequenceLength;
            if (bytes > MaxBytes) break;
            label.Append(rune.ToString());
        }

        return label.ToString();
    }

    /// <summary>Whether a label that somebody chose can stand as it is.</summary>
    public static bool IsValid(string label)
    {
        foreach (var rune in label.EnumerateRunes())
        {
            if (Rune.IsControl(rune)) return false;
        }

        return label.Length > 0 && Encoding.UTF8.GetByteCount(label) <= MaxBytes;
    }
}
