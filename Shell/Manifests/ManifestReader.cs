using System;
using System.Collections.Generic;
using System.Linq;
using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Core.Rollout;
using Agent.Shell.Trust;
using LanguageExt;

namespace Agent.Shell.Manifests;

/// <summary>
/// Reads what a verified manifest asks of one host. The hosts, their environment and their waves are within what was
/// signed, so a manifest for somebody else is refused whoever passes it on.
/// </summary>
internal static class ManifestReader
{
    public const string Type = "agent/manifest";

    public const int SchemaVersion = 1;

    /// <summary>Some thousand hosts with their targets.</summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>A fleet in one manifest; a larger one has several channels.</summary>
    public const int MaxHosts = 10_000;

    public const int MaxWaves = 64;

    // The largest integer that every JSON reader takes as it stands.
    private const long MostVersion = 9007199254740991;

    // Hexadecimal digits of the manifest's digest: 64 bits name a rollout; what is trusted is the signature.
    private const int RefLength = 16;

    /// <summary>The ref of a manifest: the beginning of its digest.</summary>
    public static string RefOf(string sha256) => sha256[..RefLength];

    /// <summary>What it asks of this host; refused where it does not name it.</summary>
    public static Checked<RolloutOrder> Read(Verified manifest, string host, string? environment) =>
        Own(Read(manifest.Read(), manifest.Sha256, host, environment), host);

    /// <summary>What it asks of all its hosts, as a plane needs it.</summary>
    public static Checked<FleetOrder> ReadFleet(Verified manifest) =>
        Read(manifest.Read(), manifest.Sha256, host: null, environment: null);

    /// <summary>Why a host that it names would refuse a manifest, whoever signs it; or null.</summary>
    public static Refusal? Fault(Json manifest, string host)
    {
        // Its digest names the rollout and does not matter here.
        var read = Read(Envelope.Within(manifest), new string('0', RefLength), host, environment: null);
        if (Own(read, host).Failed(out var order, out var why)) return why;
        return order.Fault.TryGet(out var fault) ? new(TrustFault.BadField, fault) : null;
    }

    private static Checked<RolloutOrder> Own(Checked<FleetOrder> read, string host)
    {
        if (read.Failed(out var fleet, out var why)) return why;
        return HostName.Parse(host).Bind(fleet.For).TryGet(out var order)
            ? order
            : new Refusal(TrustFault.WrongHost, $"hosts does not list this host, {host}");
    }

    private static Checked<FleetOrder> Read(Fields fields, string sha256, string? host, string? environment)
    {
        var channel = ChannelName.Parse(fields.String("channel"));
        if (channel.IsNone) fields.Refuse("channel", "is no name of a channel");
        var version = fields.Integer("version", 1, MostVersion);
        if (fields.OptionalString("environment") is { } meant && environment is not null && meant != environment)
        {
            fields.Refuse("environment", TrustFault.WrongHost, $"is {meant}, this host is in {environment}");
        }

        var activator = WireNames(fields, "activator", Api.WireNames.Activator);
        var waves = fields.OptionalArray("waves", MaxWaves) is { } list ? [.. list.Select(wave => Soak(fields, wave))] : new List<TimeSpan>();
        var hosts = Rows(fields, host, activator);
        var policy = PolicyReader.Read(fields.Object("policy"));
        var probes = fields.Objects("probes", RolloutOrder.MaxProbes).Select(ProbeReader.Read).ToArray();
        if (probes.Where(probe => probe is not null).GroupBy(probe => probe!.Name.Value).Any(group => group.Count() > 1))
        {
            fields.Refuse("probes", "has two of one name");
        }

        fields.NoOthers();
        if (fields.Refusal is { } breach) return breach;
        var id = RolloutId.Parse($"{channel.IfNone(() => null!)}@{RefOf(sha256)}");
        return id.TryGet(out var known)
            ? new FleetOrder(
                known, version, activator, policy, probes.ToSeq()!,
                waves.Select(soak => Option<TimeSpan>.Some(soak)).ToArray().ToSeq(), hosts)
            : new Refusal(TrustFault.BadField, "the document names no rollout");
    }

    /// <summary>Hosts are listed once each, in the order of their names.</summary>
    private static Map<OrdHostName, HostName, HostRow> Rows(
        Fields fields, string? host, ActivatorKind activator)
    {
        var rows = Map<OrdHostName, HostName, HostRow>.Empty;
        var before = "";
        foreach (var row in fields.Objects("hosts", MaxHosts))
        {
            var name = row.String("host");
            var target = ReleaseId.Parse(row.String("target"));
            var wave = (int)row.Integer("wave", 0, MaxWaves - 1);
            row.NoOthers();
            if (target.TryGet(out var kind) && !RolloutOrder.Suits(activator, kind))
            {
                row.Refuse("target", TrustFault.TargetKind, $"is {kind}, which the activator cannot switch to");
            }

            if (string.CompareOrdinal(before, name) >= 0) row.Refuse("host", "must come once, in the order of the names");
            if (target.IsNone) row.Refuse("target", "is no release");
            before = name;
            if (!HostName.Parse(name).TryGet(out var known)) row.Refuse("host", $"\"{name}\" is no name of a host");
            else if (target.TryGet(out var release)) rows = rows.AddOrUpdate(known, new HostRow(release, wave));
        }

        if (host is not null && !HostName.Parse(host).Exists(rows.ContainsKey))
        {
            fields.Refuse("hosts", TrustFault.WrongHost, $"does not list this host, {host}");
        }

        return rows;
    }

    private static TimeSpan Soak(Fields manifest, Json json)
    {
        var wave = Fields.Of(json);
        var soak = PolicyReader.Span(wave, "soakMs", TimeSpan.Zero);
        wave.NoOthers();
        if (wave.Refusal is { } breach) manifest.Refuse("waves", breach.Fault, breach.Detail);
        return soak;
    }

    internal static T WireNames<T>(Fields fields, string name, Func<string, T?> read)
        where T : struct
    {
        var text = fields.String(name);
        if (read(text) is { } value) return value;
        fields.Refuse(name, $"is \"{text}\", which means nothing here");
        return default;
    }
}

/// <summary>How a rollout is judged, as a manifest says it.</summary>
internal static class PolicyReader
{
    public static RolloutPolicy Read(Fields fields)
    {
        var policy = new RolloutPolicy(
            Span(fields, "soakMs", TimeSpan.Zero),
            Span(fields, "failureThresholdMs", TimeSpan.FromSeconds(1)),
            ManifestReader.WireNames(fields, "onFailure", Api.WireNames.Failure),
            ManifestReader.WireNames(fields, "onInconclusive", Api.WireNames.Failure),
            Span(fields, "verdictWithinMs", TimeSpan.FromSeconds(1)),
            Span(fields, "switchTimeoutMs", TimeSpan.FromSeconds(1)),
            fields.Boolean("unattended"));
        fields.NoOthers();
        return policy;
    }

    public static TimeSpan Span(Fields fields, string name, TimeSpan least) => TimeSpan.FromMilliseconds(fields.Integer(
        name, (long)least.TotalMilliseconds, (long)RolloutPolicy.Longest.TotalMilliseconds));
}
