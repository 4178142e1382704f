using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Shell.Trust;
using LanguageExt;

namespace Agent.Shell.Manifests;

/// <summary>Reads a probe of a manifest; the field that names its kind is there exactly once.</summary>
internal static class ProbeReader
{
    private const int MaxWords = 256;
    private const int MaxControls = 1024;
    private const int MaxText = 4096;

    /// <summary>Null where a breach was noted in its fields.</summary>
    public static ProbeSpec? Read(Fields fields)
    {
        var name = ProbeName.Parse(fields.String("name"));
        if (name.IsNone) fields.Refuse("name", "is no name of a probe");
        var mode = ManifestReader.WireNames(fields, "mode", Api.WireNames.Mode);
        var interval = PolicyReader.Span(fields, "intervalMs", ProbeSpec.ShortestInterval);
        var timeout = PolicyReader.Span(fields, "timeoutMs", ProbeSpec.ShortestTimeout);
        if (timeout > ProbeSpec.LongestTimeout) fields.Refuse("timeoutMs", $"is longer than {ProbeSpec.LongestTimeout}");
        var delay = PolicyReader.Span(fields, "initialDelayMs", TimeSpan.Zero);
        var success = (int)fields.Integer("successThreshold", 1, ProbeSpec.MaxThreshold);
        var failure = (int)fields.Integer("failureThreshold", 1, ProbeSpec.MaxThreshold);
        ProbeCheck?[] found =
            [Http(fields), Tcp(fields), Exec(fields), Service(fields), Runtime(fields), Container(fields), Evidence(fields)];
        var checks = found.OfType<ProbeCheck>().ToList();
        if (checks.Count != 1) fields.Refuse("", "must have exactly one of address, endpoint, command, service, runtime, container, evidence");
        fields.NoOthers();
        return name.TryGet(out var known) && checks.Count == 1
            ? new(known, mode, interval, timeout, delay, success, failure, checks[0])
            : null;
    }

    private static ProbeCheck.Http? Http(Fields fields)
    {
        if (Text(fields, "address") is not { } address) return null;
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            fields.Refuse("address", "must be an address such as http://127.0.0.1:80/health");
        }

        var contains = Text(fields, "contains");
        return new(address, (int)fields.Integer("status", 100, 599), contains is null ? Option<string>.None : contains);
    }

    private static ProbeCheck.Tcp? Tcp(Fields fields)
    {
        if (Text(fields, "endpoint") is not { } endpoint) return null;
        var colon = endpoint.LastIndexOf(':');
        var digits = endpoint[(colon + 1)..];
        if (colon > 0 && ushort.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0)
        {
            return new(endpoint[..colon].Trim('[', ']'), port);
        }

        fields.Refuse("endpoint", "must be host:port");
        return null;
    }

    private static ProbeCheck.Exec? Exec(Fields fields)
    {
        if (fields.OptionalArray("command", MaxWords) is not { } words) return null;
        var command = words.OfType<Json.String>().Select(word => word.Value).ToArray();
        if (command.Length != words.Count || command is not [{ Length: > 0 } first, ..] || !first.StartsWith('/'))
        {
            fields.Refuse("command", "must be a list of texts that begins with the absolute path of a program");
        }

        return new(command.ToSeq());
    }

    private static ProbeCheck.Process? Service(Fields fields) =>
        Text(fields, "service") is { } service ? new(service) : null;

    private static ProbeCheck.Runtime? Runtime(Fields fields)
    {
        if (fields.OptionalBoolean("runtime") is not { } runtime) return null;
        if (!runtime) fields.Refuse("runtime", "must be true where it is given");
        return new();
    }

    private static ProbeCheck.Container? Container(Fields fields) =>
        Text(fields, "container") is { } name ? new(name) : null;

    private static ProbeCheck.Evidence? Evidence(Fields fields)
    {
        if (Text(fields, "evidence") is not { } path) return null;
        if (!path.StartsWith('/')) fields.Refuse("evidence", "must be an absolute path");
        var framework = Text(fields, "framework");
        var controls = new List<EvidenceControl>();
        foreach (var row in (fields.OptionalArray("controls", MaxControls) ?? []).Select(Fields.Of))
        {
            var id = row.String("id");
            var mode = ManifestReader.WireNames(row, "mode", Api.WireNames.Mode);
            var reason = row.OptionalString("reason");
            row.NoOthers();
            if (row.Refusal is { } breach) fields.Refuse("controls", breach.Fault, breach.Detail);
            controls.Add(new(id, mode, reason is null ? Option<string>.None : reason));
        }

        return new(
            path, framework is null ? Option<string>.None : framework, controls.ToArray().ToSeq(),
            PolicyReader.Span(fields, "maxAgeMs", TimeSpan.FromSeconds(1)));
    }

    private static string? Text(Fields fields, string name)
    {
        var text = fields.OptionalString(name);
        if (text is { Length: 0 or > MaxText }) fields.Refuse(name, $"must have from 1 to {MaxText} characters");
        return text;
    }
}
