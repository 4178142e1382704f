using System;

namespace Agent.Shell.Cli;

/// <summary>What a command's end tells a script.</summary>
internal static class ExitCodes
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int NoAgent = 3;
    public const int NotFound = 4;
    public const int NotAllowed = 5;
    public const int TimedOut = 6;

    /// <summary>Ctrl-C, or SIGTERM, whatever the command was about.</summary>
    public const int Interrupted = 130;

    /// <summary>Whoever read a program's output went away; a shell says the same of one that SIGPIPE ended.</summary>
    public const int NobodyReads = 141;
}

/// <summary>A command that could not do what was asked: what to say on standard error, and the exit code.</summary>
internal sealed class CommandFailure : Exception
{
    public CommandFailure()
    {
    }

    public CommandFailure(string message)
        : base(message)
    {
    }

    public CommandFailure(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public CommandFailure(int exitCode, string message)
        : this(message) => ExitCode = exitCode;

    public int ExitCode { get; } = ExitCodes.Failed;

    /// <summary>The agent's own name of what it refused, where it was the agent.</summary>
    public string? Code { get; init; }
}
