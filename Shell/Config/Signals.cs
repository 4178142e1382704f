using System.Collections.Generic;
using System.Linq;
using Agent.Core.Process;

namespace Agent.Shell.Config;

/// <summary>The signals that may be asked for, by their usual short names.</summary>
internal static class Signals
{
    private static readonly (string Name, Signal Signal)[] Table =
    [
        ("term", Signal.Term), ("hup", Signal.Hangup), ("usr1", Signal.Usr1), ("usr2", Signal.Usr2),
        ("int", Signal.Interrupt), ("quit", Signal.Quit), ("stop", Signal.Stop), ("cont", Signal.Cont), ("kill", Signal.Kill),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. Table.Select(row => row.Name)];

    public static IReadOnlyList<Signal> All { get; } = [.. Table.Select(row => row.Signal)];
}
