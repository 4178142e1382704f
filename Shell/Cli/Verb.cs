using System.Collections.Generic;
using System.CommandLine;

namespace Agent.Shell.Cli;

/// <summary>A command with the example that its help ends with.</summary>
internal sealed class Verb : Command
{
    public Verb(string name, string description, string example, IEnumerable<Symbol> symbols)
        : base(name, description)
    {
        Example = example;
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument) Add(argument);
            else if (symbol is Option option) Add(option);
            else if (symbol is Command command) Add(command);
        }
    }

    public string Example { get; }

    /// <summary>It hears the signals itself, and nobody ends it for being slow to.</summary>
    public bool HearsSignals { get; init; }
}
