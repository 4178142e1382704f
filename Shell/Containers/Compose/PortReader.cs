using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Net;
using Agent.Shell.Config;

namespace Agent.Shell.Containers.Compose;

/// <summary>Reads `ports`: `80`, `8080:80`, `127.0.0.1:8080:80/udp`, ranges of the same length, or as maps.</summary>
internal sealed class PortReader(ComposeValues values)
{
    private const int MostPort = 65535;

    /// <summary>An engine sets up each port by itself; a range beyond this is meant otherwise.</summary>
    private const int MostPorts = 1024;

    private static readonly string[] Protocols = ["tcp", "udp", "sctp"];
    private static readonly Dictionary<string, string> Refused = new(StringComparer.Ordinal)
    {
        ["mode"] = "a port is published on this host",
    };

    public IReadOnlyList<PublishedPort> Read(YamlNode node)
    {
        var ports = new List<PublishedPort>();
        foreach (var item in values.Items(node, "ports"))
        {
            if (item is YamlNode.Map) ports.AddRange(ReadMap(item));
            else if (values.Text(item, "each item of ports") is { } text) ports.AddRange(ReadText(item.At, text));
            if (ports.Count <= MostPorts) continue;
            values.Wrong(item.At, $"more than {MostPorts} ports");
            return [];
        }

        return ports;
    }

    private IEnumerable<PublishedPort> ReadText(Place at, string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var protocol = slash < 0 ? "tcp" : text[(slash + 1)..];
        var rest = slash < 0 ? text : text[..slash];
        var colon = rest.LastIndexOf(':');
        var inside = Range(rest[(colon + 1)..]);
        var (address, host) = colon < 0 ? ("", "") : Split(rest[..colon]);
        var outside = host.Length == 0 ? null : Range(host);
        if (inside is not { } ports || !Protocols.Contains(protocol, StringComparer.Ordinal) || !IsAddress(address)
            || (host.Length > 0 && outside is null))
        {
            values.Wrong(at, $"a port is written as 8080:80 or 127.0.0.1:8080:80/tcp, from 1 to {MostPort}, \"{text}\" is not");
            return [];
        }

        return Pair(at, address, outside, ports, protocol);
    }

    private IEnumerable<PublishedPort> ReadMap(YamlNode node)
    {
        string? target = null;
        var (published, address, protocol) = ("", "", "tcp");
        foreach (var (key, _, value) in values.Entries(
            node, "a port", Refused, "target", "published", "host_ip", "protocol"))
        {
            if (key == "target") target = values.Text(value, key);
            else if (key == "published") published = values.Text(value, key) ?? "";
            else if (key == "host_ip") address = values.Text(value, key) ?? "";
            else protocol = values.Plain.Choice(value, key, Protocols) ?? protocol;
        }

        var inside = target is null ? null : Range(target);
        var outside = published.Length == 0 ? null : Range(published);
        if (inside is not { First: var first, Last: var last } || first != last || (published.Length > 0 && outside is null)
            || !IsAddress(address))
        {
            values.Wrong(node.At, $"a port needs a target, and may have published and host_ip; ports are from 1 to {MostPort}");
            return [];
        }

        return Pair(node.At, address, outside, (first, last), protocol);
    }

    private IEnumerable<PublishedPort> Pair(
        Place at, string address, (int First, int Last)? outside, (int First, int Last) inside, string protocol)
    {
        var count = inside.Last - inside.First + 1;
        if (outside is { } host && host.Last - host.First + 1 != count)
        {
            values.Wrong(at, "a range of ports is published as one of the same length");
            return [];
        }

        var first = outside?.First;
        return Enumerable.Range(0, count).Select(i => new PublishedPort(address, first + i, inside.First + i, protocol));
    }

    private static (string Address, string Host) Split(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon < 0 ? ("", text) : (text[..colon].TrimStart('[').TrimEnd(']'), text[(colon + 1)..]);
    }

    private static bool IsAddress(string text) => text.Length == 0 || IPAddress.TryParse(text, out _);

    private static (int First, int Last)? Range(string text)
    {
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        return Number(dash < 0 ? text : text[..dash]) is { } first && Number(text[(dash + 1)..]) is { } last && first <= last
            && last - first < MostPorts
                ? (first, last)
                : null;
    }

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= MostPort
            ? port
            : null;
}
