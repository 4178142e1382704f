using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using Agent.Tests.EndToEnd;
using Xunit;

namespace Agent.Tests.Support;

/// <summary>One port of loopback on which the kernel drops packets by chance, both ways, until this is disposed.</summary>
internal sealed class PacketLoss : IDisposable
{
    private readonly List<string[]> _rules = [];
    private readonly string _port;

    private PacketLoss(int port) => _port = port.ToString(CultureInfo.InvariantCulture);

    /// <summary>Packets that were lost.</summary>
    public long Lost
    {
        get
        {
            var start = new ProcessStartInfo("iptables", ["-nvxL", "INPUT"]) { RedirectStandardOutput = true };
            using var list = Process.Start(start)!;
            return list.StandardOutput.ReadToEnd().Split('\n')
                .Where(line => line.Contains($"pt:{_port} ", StringComparison.Ordinal))
                .Sum(line => long.Parse(line.TrimStart().Split(' ')[0], CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Skips the test where the kernel cannot.</summary>
    public static PacketLoss Half(int port)
    {
        Skip.IfNot(File.Exists("/usr/sbin/iptables"), "needs iptables");
        var loss = new PacketLoss(port);
        foreach (var side in (string[])["--dport", "--sport"])
        {
            string[] rule =
            [
                "INPUT", "-i", "lo", "-p", "tcp", side, loss._port,
                "-m", "statistic", "--mode", "random", "--probability", "0.5", "-j", "DROP",
            ];
            var isThere = Mounts.Run("iptables", ["-A", .. rule]);
            if (isThere) loss._rules.Add(rule);
            else loss.Dispose();
            Skip.IfNot(isThere, "needs root, iptables and its statistic match");
        }

        return loss;
    }

    public void Dispose()
    {
        foreach (var rule in _rules) Mounts.Run("iptables", ["-D", .. rule]);
        _rules.Clear();
    }
}
