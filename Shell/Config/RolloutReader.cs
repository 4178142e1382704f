using System;
using System.Collections.Generic;
using Agent.Shell.Activators.Nixos;
using Agent.Shell.Manifests;

namespace Agent.Shell.Config;

/// <summary>Reads who this host is, what its rollouts are judged by, and where a NixOS host keeps its things.</summary>
internal sealed class RolloutReader(Mistakes mistakes)
{
    private readonly Values _values = new(mistakes);

    public static IReadOnlyList<string> Keys(string section) => section switch
    {
        "host" => ["name", "environment"],
        "rollout" => ["trust", "keepReleases", "execProbes"],
        "plane" => ["url", "trust"],
        _ => ["profile", "currentSystem", "gcRoots", "storeRoot", "environment"],
    };

    public RolloutSettings With(RolloutSettings settings, string section, string key, YamlNode value) => section switch
    {
        "host" => WithHost(settings, key, value),
        "rollout" => WithRollout(settings, key, value),
        "plane" => WithPlane(settings, key, value),
        _ => settings with { Nixos = WithNixos(settings.Nixos, key, value) },
    };

    private RolloutSettings WithHost(RolloutSettings settings, string key, YamlNode value) =>
        Name(key, value) is not { } name ? settings
        : key == "name" ? settings with { Host = name }
        : settings with { Environment = name };

    private RolloutSettings WithRollout(RolloutSettings settings, string key, YamlNode value) => key switch
    {
        "trust" => settings with { Trust = _values.AbsolutePath(value, key) ?? settings.Trust },
        "keepReleases" => settings with
        {
            KeepReleases = _values.Number(value, key, RolloutSettings.LeastKept, RolloutSettings.MostKept)
                ?? settings.KeepReleases,
        },
        _ => settings with
        {
            ExecProbes = _values.Choice(value, key, "any", "release") switch
            {
                null => settings.ExecProbes,
                "release" => ProbePrograms.Release,
                _ => ProbePrograms.Any,
            },
        },
    };

    /// <summary>`plane.trust` is another name of `rollout.trust`: who gives both means one file.</summary>
    private RolloutSettings WithPlane(RolloutSettings settings, string key, YamlNode value)
    {
        if (key == "trust") return WithRollout(settings, key, value);
        if (_values.Text(value, key) is not { } text) return settings;
        if (Uri.TryCreate(text, UriKind.Absolute, out var plane) && plane is { Scheme: "https", PathAndQuery: "/", UserInfo: "" })
        {
            return settings with { Plane = plane };
        }

        mistakes.Add(value.At, $"url \"{text}\" is no address of a plane: https://NAME:PORT");
        return settings;
    }

    private NixosPaths WithNixos(NixosPaths nixos, string key, YamlNode value) => key switch
    {
        "profile" => nixos with { Profile = _values.AbsolutePath(value, key) ?? nixos.Profile },
        "currentSystem" => nixos with { CurrentSystem = _values.AbsolutePath(value, key) ?? nixos.CurrentSystem },
        "gcRoots" => nixos with { GcRoots = _values.AbsolutePath(value, key) ?? nixos.GcRoots },
        "storeRoot" => nixos with { StoreRoot = _values.AbsolutePath(value, key)?.TrimEnd('/') ?? nixos.StoreRoot },
        _ => nixos with { Environment = Environment(nixos.Environment, value) },
    };

    /// <summary>A name as manifests write it.</summary>
    private string? Name(string key, YamlNode value)
    {
        var name = _values.Text(value, key);
        if (name is null || ManifestNames.IsHost(name)) return name;
        mistakes.Add(value.At, $"{key} \"{name}\" is letters, digits, -, _ and ., at most {ManifestNames.MaxLength}");
        return null;
    }

    private Dictionary<string, string> Environment(IReadOnlyDictionary<string, string> standard, YamlNode node)
    {
        var environment = new Dictionary<string, string>(standard, StringComparer.Ordinal);
        foreach (var (key, _, value) in _values.Map(node, "environment"))
        {
            if (_values.Text(value, $"environment {key}") is { } text) environment[key] = text;
        }

        return environment;
    }
}
