using System;
using System.Linq;
using Agent.Core.Process;
using Agent.Shell.Api;

namespace Agent.Shell.Config;

/// <summary>Reads how a service tells that it is ready.</summary>
internal sealed class ReadinessReader(Mistakes mistakes)
{
    private static readonly string[] Checks = ["http", "tcp", "exec", "notify"];

    private readonly Values _values = new(mistakes);

    public Readiness? Read(YamlNode node)
    {
        var (every, within) = (Readiness.DefaultEvery, Readiness.DefaultWithin);
        ReadyCheck? check = null;
        var status = 200;
        var given = 0;
        foreach (var (key, _, value) in _values.Entries(node, "ready", [.. Checks, "status", "every", "within"]))
        {
            if (Checks.Contains(key, StringComparer.Ordinal))
            {
                given++;
                check = ReadCheck(key, value);
            }
            else if (key == "status") status = _values.Number(value, key, 100, 599) ?? status;
            else if (key == "every") every = _values.Duration(value, key, Readiness.ShortestEvery, Readiness.LongestEvery) ?? every;
            else within = _values.Duration(value, key, Readiness.ShortestWithin, Readiness.LongestWithin) ?? within;
        }

        if (given != 1 && node is not YamlNode.Refused)
        {
            mistakes.Add(node.At, "ready has one of http, tcp, exec, notify, such as { http: \"http://127.0.0.1:8080/health\" }");
        }

        return check is null || given != 1 ? null
            : new(check is ReadyCheck.Http http ? http with { Status = status } : check, every, within);
    }

    private ReadyCheck? ReadCheck(string key, YamlNode node) => key switch
    {
        "http" => Http(node),
        "tcp" => Tcp(node),
        "exec" => Exec(node),
        _ => _values.Choice(node, key, "true") is null ? null : new ReadyCheck.Notify(),
    };

    private ReadyCheck.Http? Http(YamlNode node)
    {
        if (_values.Text(node, "http") is not { } address) return null;
        if (Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https") return new(address, 200);
        mistakes.Add(node.At, $"http is an address such as http://127.0.0.1:8080/health, \"{address}\" is not");
        return null;
    }

    private ReadyCheck.Tcp? Tcp(YamlNode node)
    {
        if (_values.Text(node, "tcp") is not { } text) return null;
        if (Uri.TryCreate($"tcp://{text}", UriKind.Absolute, out var uri) && uri.Port > 0 && uri.AbsolutePath is "" or "/")
        {
            return new(uri.Host.Trim('[', ']'), uri.Port);
        }

        mistakes.Add(node.At, $"tcp is a host and a port such as 127.0.0.1:5432, \"{text}\" is not");
        return null;
    }

    private ReadyCheck.Exec? Exec(YamlNode node)
    {
        var command = _values.Texts(node, "exec");
        if (command.Count == 0) return null;
        if (SpawnRequests.FaultOfCommand(command) is { } fault)
        {
            mistakes.Add(node.At, $"exec {fault}");
            return null;
        }

        return new(command.ToArray().ToSeq());
    }
}
