using System;
using System.Collections.Generic;
using System.Linq;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Api;
using Agent.Shell.Keeper;
using LanguageExt;

namespace Agent.Shell.Config;

/// <summary>One service as it is declared, with the places that its order is told by.</summary>
internal sealed record DeclaredService(ServiceConfig Config, Place At, IReadOnlyList<(string Name, Place At)> After);

/// <summary>Reads the declaration of one service. What a task may not ask for, a service may not either.</summary>
internal sealed class ServiceReader(Mistakes mistakes)
{
    private readonly Values _values = new(mistakes);
    private readonly ReadinessReader _readiness = new(mistakes);

    public DeclaredService Read(string name, Place at, YamlNode node)
    {
        var spec = Defaults(name);
        var environment = Environments.Inherited();
        List<(string Name, Place At)> after = [];
        List<(string Name, Place At)> afterStarted = [];
        var log = LogSettings.Default;
        var hasCommand = node is YamlNode.Refused or YamlNode.Text or YamlNode.List;
        foreach (var (key, _, value) in _values.Entries(
            node, name, "command", "env", "cwd", "user", "restart", "after", "afterStarted", "ready", "limits", "log", "stdin",
            "overflow", "ringBytes", "stopSignal", "grace"))
        {
            hasCommand |= key == "command";
            if (key == "env") ReadEnvironment(value, environment);
            else if (key == "after") after = ReadAfter(value, key);
            else if (key == "afterStarted") afterStarted = ReadAfter(value, key);
            else if (key == "log") log = ReadLog(value);
            else spec = With(spec, key, value);
        }

        if (!hasCommand) mistakes.Add(at, $"the service {name} needs a command, such as [/usr/bin/program, argument]");
        spec = spec with { After = Names(after), AfterStarted = Names(afterStarted) };
        return new(new(spec, environment) { Log = log }, at, [.. after, .. afterStarted]);
    }

    private static ProcessSpec Defaults(string name) => new(
        ProcessKind.Service, Principal.Root, name, Seq<string>.Empty, Option<string>.None, Option<string>.None, "",
        StdinMode.None, Overflow.DropOldest, ProcessSpec.DefaultRingBytes, Option<TimeSpan>.None, Option<TimeSpan>.None,
        ProcessSpec.DefaultRetention, Signal.Term, ProcessSpec.DefaultGrace, RestartPolicy.Always, Seq<string>.Empty);

    private ProcessSpec With(ProcessSpec spec, string key, YamlNode value) => key switch
    {
        "command" => spec with { Command = ReadCommand(value).ToArray().ToSeq() },
        "cwd" => _values.AbsolutePath(value, key) is { } path ? spec with { WorkingDirectory = path } : spec,
        "user" => ReadUser(value) is { } user ? spec with { User = user } : spec,
        "restart" => _values.Choice(value, key, "never", "onFailure", "always") is { } restart
            ? spec with { Restart = WireNames.Policy(restart)!.Value }
            : spec,
        "stdin" => _values.Choice(value, key, "none", "open") is { } stdin
            ? spec with { Stdin = stdin == "open" ? StdinMode.Open : StdinMode.None }
            : spec,
        "overflow" => _values.Choice(value, key, "dropOldest", "backpressure") is { } overflow
            ? spec with { Overflow = WireNames.Overflow(overflow)!.Value }
            : spec,
        "ringBytes" => _values.Size(value, key, ProcessSpec.MinRingBytes, ProcessSpec.MaxRingBytes) is { } bytes
            ? spec with { RingBytes = bytes }
            : spec,
        "grace" => _values.Duration(value, key, TimeSpan.Zero, ProcessSpec.MaxGrace) is { } grace
            ? spec with { Grace = grace }
            : spec,
        "ready" => _readiness.Read(value) is { } ready ? spec with { Ready = ready } : spec,
        "limits" => spec with { Limits = ReadLimits(value) },
        "stopSignal" => _values.Choice(value, key, WireNames.SignalWords) is { } signal
            ? spec with { StopSignal = WireNames.Signal(signal)!.Value }
            : spec,
        _ => spec,
    };

    private IReadOnlyList<string> ReadCommand(YamlNode node)
    {
        var command = _values.Texts(node, "command");
        var fault = node is YamlNode.List ? SpawnRequests.FaultOfCommand(command) : null;
        if (fault is not null) mistakes.Add(node.At, $"command {fault}");
        return command;
    }

    private string? ReadUser(YamlNode node)
    {
        var user = _values.Text(node, "user");
        if (user is null || SpawnRequests.IsUser(user)) return user;
        mistakes.Add(node.At, $"user \"{user}\" is no name of a user");
        return null;
    }

    /// <summary>`off`, or how much is kept; whatever is left out has its default.</summary>
    private LogSettings? ReadLog(YamlNode node)
    {
        if (node is YamlNode.Text) return _values.Choice(node, "log", "on", "off") == "off" ? null : LogSettings.Default;
        var log = LogSettings.Default;
        foreach (var (key, _, value) in _values.Entries(node, "log", "maxSize", "files"))
        {
            log = key == "maxSize"
                ? log with { MaxBytes = _values.Size(value, key, LogSettings.LeastBytes, LogSettings.MostBytes) ?? log.MaxBytes }
                : log with { Files = _values.Number(value, key, LogSettings.LeastFiles, LogSettings.MostFiles) ?? log.Files };
        }

        return log;
    }

    private List<(string Name, Place At)> ReadAfter(YamlNode node, string key)
    {
        var after = new List<(string Name, Place At)>();
        if (node is not YamlNode.List list)
        {
            _ = _values.Texts(node, key);
            return after;
        }

        foreach (var item in list.Items)
        {
            if (_values.Text(item, $"each item of {key}") is { } name) after.Add((name, item.At));
        }

        return after;
    }

    private static Seq<string> Names(List<(string Name, Place At)> others) => others.Select(one => one.Name).ToArray().ToSeq();

    /// <summary>What this host cannot hold a process to is refused here, where the operator sees it.</summary>
    private ProcessLimits ReadLimits(YamlNode node)
    {
        var limits = ProcessLimits.None;
        foreach (var (key, at, value) in _values.Entries(node, "limits", "memory", "cpus", "pids", "openFiles"))
        {
            limits = key switch
            {
                "memory" => _values.LongSize(value, key, ProcessLimits.LeastMemory, long.MaxValue) is { } bytes
                    ? limits with { MemoryBytes = bytes }
                    : limits,
                "cpus" => _values.Thousandths(value, key, ProcessLimits.MostCpuThousandths) is { } cpu
                    ? limits with { CpuThousandths = cpu }
                    : limits,
                "pids" => _values.Number(value, key, 1, ProcessLimits.MostPids) is { } pids
                    ? limits with { Pids = pids }
                    : limits,
                "openFiles" => _values.Number(value, key, ProcessLimits.LeastOpenFiles, ProcessLimits.MostOpenFiles) is { } files
                    ? limits with { OpenFiles = files }
                    : limits,
                _ => limits,
            };
            if (Cgroups.WhyNot(limits) is { } why) mistakes.Add(at, why);
        }

        return limits;
    }

    private void ReadEnvironment(YamlNode node, Dictionary<string, string> environment)
    {
        var entries = _values.Map(node, "env");
        if (entries.Count > EnvironmentRules.MaxVariables)
        {
            mistakes.Add(node.At, $"env may have at most {EnvironmentRules.MaxVariables} variables");
        }

        foreach (var (key, at, value) in entries)
        {
            if (_values.Text(value, $"env {key}") is not { } text) continue;
            var given = new Dictionary<string, string?>(StringComparer.Ordinal) { [key] = text };
            if (EnvironmentRules.Fault(given) is var (_, reason)) mistakes.Add(at, $"env {key} {reason}");
            environment[key] = text;
        }
    }
}
