using System.Globalization;
using FsCheck;
using FsCheck.Fluent;

namespace Agent.Specs.Tools;

/// <summary>
/// Checks a sentence over ten thousand random scripts, or as many as AGENT_SPECS_TRACES says. A script is a seed and a list of items; a failing one is
/// shrunk by leaving items out, and the failure names the seed to replay and prints the shrunk script's trace.
/// </summary>
public static class Law
{
    private static readonly int Traces =
        Environment.GetEnvironmentVariable("AGENT_SPECS_TRACES") is { Length: > 0 } asked
            ? int.Parse(asked, CultureInfo.InvariantCulture)
            : 10_000;

    public static void Over<TItem>(
        int longest, Func<Samples, TItem> item, Func<Script<TItem>, string> trace, Action<Script<TItem>> holds)
    {
        var scripts = Gen.Choose(0, int.MaxValue).Select(seed =>
        {
            var samples = new Samples(seed);
            var items = new TItem[samples.Below(longest) + 1];
            for (var i = 0; i < items.Length; i++) items[i] = item(samples);
            return new Script<TItem>(seed, items, trace);
        });
        Prop.ForAll(Arb.From(scripts, Shrink), holds).Check(Config.QuickThrowOnFailure.WithMaxTest(Traces));
    }

    /// <summary>Halves first, then single items: the shrunk script has no item too many.</summary>
    private static IEnumerable<Script<TItem>> Shrink<TItem>(Script<TItem> script)
    {
        for (var size = script.Items.Count / 2; size >= 1; size /= 2)
        {
            for (var from = 0; from < script.Items.Count; from += size)
            {
                var (start, end) = (from, from + size);
                yield return script with { Items = [.. script.Items.Where((_, i) => i < start || i >= end)] };
            }
        }
    }
}

/// <summary>What a random trace is made from. It prints as the trace that it leads to.</summary>
public sealed record Script<TItem>(int Seed, IReadOnlyList<TItem> Items, Func<Script<TItem>, string> Trace)
{
    public override string ToString() => $"seed {Seed}\n{Trace(this)}";
}
