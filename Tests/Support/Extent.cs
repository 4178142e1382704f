using System;

namespace Agent.Tests.Support;

/// <summary>Tests of endurance have a short form for every run and their full size, which AGENT_LONG=1 asks for.</summary>
internal static class Extent
{
    public static bool IsFull { get; } = Environment.GetEnvironmentVariable("AGENT_LONG") == "1";

    public static T Of<T>(T brief, T full) => IsFull ? full : brief;
}
