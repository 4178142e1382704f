using System.IO;

namespace Agent.Shell.Loop;

/// <summary>Where one agent keeps its things. Two agents on one machine differ in all of them.</summary>
internal sealed record AgentPaths(string Config, string StateDir, string RuntimeDir, string Socket)
{
    public const string DefaultConfig = "/etc/agent/agent.yaml";
    public const string DefaultStateDir = "/var/lib/agent";
    public const string DefaultRuntimeDir = "/run/agent";

    public static string DefaultSocket(string runtimeDir) => Path.Combine(runtimeDir, "agent.sock");

    /// <summary>Durable: segments and snapshots.</summary>
    public string Journal => Path.Combine(StateDir, "journal");

    /// <summary>Durable, 0600: environment values and stdin preludes, which no journal may hold.</summary>
    public string Secrets => Path.Combine(StateDir, "secrets");

    /// <summary>Durable: by what this agent knows its containers.</summary>
    public string Instance => Path.Combine(StateDir, "instance");

    /// <summary>Durable: rotated logs of the engine daemons.</summary>
    public string Logs => Path.Combine(StateDir, "logs");

    /// <summary>Durable: releases of this host and the links to those in use.</summary>
    public string Releases => Path.Combine(StateDir, "releases");

    /// <summary>Durable, 0700: this host's key and certificate.</summary>
    public string Identity => Path.Combine(StateDir, "identity");

    /// <summary>Durable: the plane that this host was enrolled with.</summary>
    public string PlaneAddress => Path.Combine(StateDir, "plane");

    /// <summary>Durable: why the last upgrade of the agent was taken back. Not there if it was not.</summary>
    public string UpgradeFailure => Path.Combine(StateDir, "upgrade-failure");

    /// <summary>Files of short runs of the host's commands. They may hold secrets, and /run is no disk.</summary>
    public string Commands => Path.Combine(RuntimeDir, "commands");

    /// <summary>Archives on their way from the plane into the store.</summary>
    public string Downloads => Path.Combine(StateDir, "downloads");

    /// <summary>Output rings; they outlive the agent, not the boot.</summary>
    public string Rings => Path.Combine(RuntimeDir, "rings");
}
