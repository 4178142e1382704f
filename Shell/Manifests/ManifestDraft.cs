using System;
using System.Collections.Generic;
using System.Linq;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Shell.Config;
using Agent.Shell.Trust;

namespace Agent.Shell.Manifests;

/// <summary>
/// A rollout as a release engineer writes it down, in YAML: channel, version, hosts, how it is judged, its probes. It
/// becomes the manifest that is signed, with every default written out, so that what is signed says all it means.
/// </summary>
internal sealed class ManifestDraft
{
    private readonly Mistakes _mistakes = new();
    private readonly Values _values;
    private readonly List<Json.Member> _members = [];
    private readonly List<Json.Member> _policy = [];

    // One host of each wave: a wave has a soak of its own, and so may have a fault of its own.
    private readonly SortedDictionary<int, string> _hosts = [];

    private ManifestDraft() => _values = new(_mistakes);

    /// <summary>
    /// The manifest, not signed yet. <paramref name="target"/> is the release for every host, where the draft names none.
    /// </summary>
    /// <exception cref="ConfigException">
    /// All that is wrong with the draft, by line; where no line is, what hosts would refuse it for.
    /// </exception>
    public static Json.Object Read(string file, ReleaseId? target, DateTimeOffset signedAt)
    {
        var draft = new ManifestDraft();
        var root = YamlFile.Read(file, draft._mistakes);
        var manifest = root is null ? null : draft.Write(root, target, signedAt);
        if (draft._mistakes.Told.Count > 0 || manifest is null) throw new ConfigException(draft._mistakes.Told);
        foreach (var (wave, host) in draft._hosts)
        {
            if (ManifestReader.Fault(manifest, host) is not { } why) continue;
            throw new ConfigException([$"{file}: every host of wave {wave} would refuse it: {why.Detail}"]);
        }

        return manifest;
    }

    private Json.Object Write(YamlNode root, ReleaseId? target, DateTimeOffset signedAt)
    {
        var hosts = new List<YamlEntry>();
        var activator = "release";
        var given = target?.Value;
        var probes = new List<Json>();
        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (key, at, value) in _values.Entries(
            root, "the rollout", "channel", "version", "environment", "activator", "target", "hosts", "waves", "policy",
            "probes", "expires"))
        {
            named.Add(key);
            switch (key)
            {
                case "channel": AddChannel(value); break;
                case "version": AddNumber("version", value, 1, int.MaxValue); break;
                case "environment": AddText("environment", value); break;
                case "activator": activator = _values.Choice(value, key, "release", "nixos") ?? activator; break;
                case "target": given ??= _values.Text(value, key); break;
                case "hosts": hosts = [.. HostsOf(value)]; break;
                case "waves": AddWaves(value); break;
                case "policy": ReadPolicy(value); break;
                case "probes": probes = [.. ProbeDraft.ReadAll(value, _values, _mistakes)]; break;
                default: AddExpiry(value, signedAt); break;
            }
        }

        foreach (var needed in (string[])["channel", "version", "hosts"])
        {
            if (!named.Contains(needed)) _mistakes.Add(root.At, $"a rollout needs {needed}");
        }

        AddTargets(root, hosts, given);
        _members.Add(new("activator", new Json.String(activator)));
        _members.Add(new("policy", new Json.Object(WithDefaults(_policy))));
        _members.Add(new("probes", new Json.Array(probes)));
        _members.Add(new("schemaVersion", new Json.Number(ManifestReader.SchemaVersion)));
        _members.Add(new("signedAt", new Json.String(Stamp(signedAt))));
        _members.Add(new("type", new Json.String(ManifestReader.Type)));
        return new(_members);
    }

    public static string Stamp(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private void AddChannel(YamlNode node)
    {
        if (_values.Text(node, "channel") is not { } channel) return;
        if (ChannelName.Parse(channel).IsNone) _mistakes.Add(node.At, $"channel \"{channel}\" is lower-case letters, digits, - and _, at most 64");
        _members.Add(new("channel", new Json.String(channel)));
    }

    private void AddText(string name, YamlNode node)
    {
        if (_values.Text(node, name) is not { } text) return;
        if (!ManifestNames.IsHost(text)) _mistakes.Add(node.At, $"{name} \"{text}\" is letters, digits, -, _ and .");
        _members.Add(new(name, new Json.String(text)));
    }

    private void AddNumber(string name, YamlNode node, int least, int most)
    {
        if (_values.Number(node, name, least, most) is { } number) _members.Add(new(name, new Json.Number(number)));
    }

    private void AddExpiry(YamlNode node, DateTimeOffset signedAt)
    {
        if (_values.Duration(node, "expires", TimeSpan.FromMinutes(1), TimeSpan.FromDays(365)) is { } after)
        {
            _members.Add(new("expiresAt", new Json.String(Stamp(signedAt + after))));
        }
    }

    /// <summary>A list of names, all in the first wave, or a map of names to their wave.</summary>
    private IEnumerable<YamlEntry> HostsOf(YamlNode node)
    {
        if (node is not YamlNode.List list) return _values.Map(node, "hosts");
        return list.Items.Select(item => new YamlEntry(
            _values.Text(item, "each item of hosts") ?? "", item.At, new YamlNode.Text(item.At, "0")));
    }

    private void AddTargets(YamlNode root, List<YamlEntry> hosts, string? target)
    {
        if (hosts.Count == 0) _mistakes.Add(root.At, "a rollout names at least one host");
        if (target is null) _mistakes.Add(root.At, "a rollout needs a target: sign it with --release ARCHIVE, or name it with target:");
        else if (ReleaseId.Parse(target).IsNone) _mistakes.Add(root.At, $"target \"{target}\" is no sha256:… and no store path");
        var rows = new List<Json>();
        foreach (var (name, at, value) in hosts.OrderBy(host => host.Key, StringComparer.Ordinal))
        {
            if (!ManifestNames.IsHost(name)) _mistakes.Add(at, $"\"{name}\" is no name of a host");
            var wave = _values.Number(value, $"the wave of {name}", 0, ManifestReader.MaxWaves - 1) ?? 0;
            _hosts.TryAdd(wave, name);
            rows.Add(new Json.Object(
            [
                new("host", new Json.String(name)), new("target", new Json.String(target ?? "")),
                new("wave", new Json.Number(wave)),
            ]));
        }

        _members.Add(new("hosts", new Json.Array(rows)));
    }

    private void AddWaves(YamlNode node)
    {
        if (node is not YamlNode.List list)
        {
            _mistakes.Add(node.At, "waves is a list of maps, such as [{ soak: 10m }, { soak: 1h }]");
            return;
        }

        var waves = new List<Json>();
        foreach (var item in list.Items)
        {
            foreach (var (key, _, value) in _values.Entries(item, "a wave", "soak"))
            {
                if (Span(value, key, TimeSpan.Zero) is { } soak) waves.Add(new Json.Object([new("soakMs", soak)]));
            }
        }

        _members.Add(new("waves", new Json.Array(waves)));
    }

    private void ReadPolicy(YamlNode node)
    {
        foreach (var (key, _, value) in _values.Entries(
            node, "policy", "soak", "failureThreshold", "onFailure", "onInconclusive", "verdictWithin", "switchTimeout",
            "unattended"))
        {
            Json? member = key switch
            {
                "onFailure" or "onInconclusive" =>
                    _values.Choice(value, key, "rollback-and-halt", "halt") is { } choice ? new Json.String(choice) : null,
                "unattended" => _values.Choice(value, key, "true", "false") is { } flag ? new Json.Boolean(flag == "true") : null,
                "soak" => Span(value, key, TimeSpan.Zero),
                _ => Span(value, key, TimeSpan.FromSeconds(1)),
            };
            if (member is not null) _policy.Add(new(key is "onFailure" or "onInconclusive" or "unattended" ? key : key + "Ms", member));
        }
    }

    private static List<Json.Member> WithDefaults(List<Json.Member> given)
    {
        (string Name, Json Value)[] defaults =
        [
            ("soakMs", Of(TimeSpan.FromMinutes(10))),
            ("failureThresholdMs", Of(RolloutPolicy.DefaultFailureThreshold)),
            ("onFailure", new Json.String("rollback-and-halt")),
            ("onInconclusive", new Json.String("halt")),
            ("verdictWithinMs", Of(RolloutPolicy.DefaultVerdictWithin)),
            ("switchTimeoutMs", Of(RolloutPolicy.DefaultSwitchTimeout)),
            ("unattended", new Json.Boolean(false)),
        ];
        return [.. defaults.Select(one => given.FirstOrDefault(member => member.Name == one.Name) ?? new(one.Name, one.Value))];
    }

    private Json.Number? Span(YamlNode node, string what, TimeSpan least) =>
        _values.Duration(node, what, least, RolloutPolicy.Longest) is { } span ? Of(span) : null;

    private static Json.Number Of(TimeSpan span) => new(span.TotalMilliseconds);
}
