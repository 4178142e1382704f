using System;
using System.Collections.Generic;
using System.Linq;

namespace Agent.Shell.Config;

/// <summary>What comes after what, by name, each with the place where it says so.</summary>
/// <param name="what">What the names are of, such as "service".</param>
internal sealed class Order(string what, IReadOnlyDictionary<string, IReadOnlyList<(string Name, Place At)>> after)
{
    /// <summary>Everything that is named exists, and following it never comes back to where it began.</summary>
    public void Check(Mistakes mistakes)
    {
        foreach (var (name, others) in after)
        {
            foreach (var (other, at) in others)
            {
                if (!after.ContainsKey(other))
                {
                    mistakes.Add(at, $"{name} comes after {other}, which is no {what}");
                }
                else if (WayBack(other, name) is { } way)
                {
                    mistakes.Add(at, $"{name} would have to come after itself: {way}");
                }
            }
        }
    }

    /// <summary>The chain that leads from one to another, as `a after b after c`; null if none does.</summary>
    private string? WayBack(string from, string to)
    {
        var cameBy = new Dictionary<string, string>(StringComparer.Ordinal) { [from] = "" };
        var open = new Queue<string>([from]);
        while (open.TryDequeue(out var name))
        {
            if (name == to) return Chain(cameBy, name, to);
            foreach (var (next, _) in after.TryGetValue(name, out var others) ? others : [])
            {
                if (cameBy.TryAdd(next, name)) open.Enqueue(next);
            }
        }

        return null;
    }

    private static string Chain(Dictionary<string, string> cameBy, string end, string start)
    {
        var chain = new List<string>();
        for (var name = end; name.Length > 0; name = cameBy[name]) chain.Insert(0, name);
        return string.Join(" after ", chain.Prepend(start));
    }
}
