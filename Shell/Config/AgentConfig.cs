using System;
using System.Collections.Generic;
using Agent.Core.Process;
using Agent.Core.Runtime;
using Agent.Shell.Docker;

namespace Agent.Shell.Config;

/// <summary>A configuration that is valid as a whole.</summary>
internal sealed record AgentConfig(
    RuntimePolicy Policy, RuntimeSettings Runtime, IReadOnlyList<ServiceConfig> Services);

/// <summary>One service: what decisions need of it, and the environment that they must not see.</summary>
internal sealed record ServiceConfig(ProcessSpec Spec, IReadOnlyDictionary<string, string> Environment);

/// <summary>Everything that is wrong with a configuration, each mistake with its place.</summary>
internal sealed class ConfigException : Exception
{
    public ConfigException()
    {
    }

    public ConfigException(string message)
        : base(message)
    {
    }

    public ConfigException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public ConfigException(IReadOnlyList<string> mistakes)
        : this(string.Join('\n', mistakes)) => Mistakes = mistakes;

    public IReadOnlyList<string> Mistakes { get; } = [];
}
