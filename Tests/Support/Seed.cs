using System;
using Xunit.Abstractions;

namespace Agent.Tests.Support;

/// <summary>Chance that can be had again: what a test prints, AGENT_SEED repeats.</summary>
internal static class Seed
{
    public static Random Random(ITestOutputHelper output)
    {
        var named = Environment.GetEnvironmentVariable("AGENT_SEED");
        var seed = int.TryParse(named, out var given) ? given : System.Random.Shared.Next();
        output.WriteLine($"AGENT_SEED={seed}");
        return new Random(seed);
    }
}
