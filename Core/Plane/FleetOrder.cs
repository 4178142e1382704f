using Agent.Core.Model;
using Agent.Core.Rollout;

namespace Agent.Core.Plane;

/// <summary>
/// What a verified manifest asks of a whole fleet. Hosts are served wave by wave; a wave may have a soak of its own.
/// </summary>
public sealed record FleetOrder(
    RolloutId Id,
    long Version,
    ActivatorKind Activator,
    RolloutPolicy Policy,
    Seq<ProbeSpec> Probes,
    Seq<Option<TimeSpan>> WaveSoaks,
    Map<OrdHostName, HostName, HostRow> Hosts)
{
    /// <summary>A fleet in one manifest; a larger one has several channels.</summary>
    public const int MaxHosts = 10_000;

    /// <summary>More steps than anybody watches one by one.</summary>
    public const int MaxWaves = 64;

    public ChannelName Channel => Id.Channel;

    public int LastWave
    {
        get
        {
            var last = 0;
            foreach (var row in Hosts.Values) last = Math.Max(last, row.Wave);
            return last;
        }
    }

    /// <summary>What it asks of one host, in that host's own terms; none where it does not list the host.</summary>
    public Option<RolloutOrder> For(HostName host) => Hosts.Find(host).TryGet(out var row)
        ? new RolloutOrder(Id, Version, Activator, row.Target, PolicyOf(row.Wave), Probes)
        : Option<RolloutOrder>.None;

    /// <summary>Why it may not be published, if so: some host could not follow it, or it is out of bounds.</summary>
    public Option<string> Fault
    {
        get
        {
            if (Hosts.IsEmpty) return "it lists no host";
            if (Hosts.Count > MaxHosts) return $"{Hosts.Count} hosts are more than {MaxHosts}";
            var checkedWaves = 0UL;
            foreach (var row in Hosts.Values)
            {
                if (row.Wave is < 0 or >= MaxWaves) return $"wave {row.Wave} is not within 0 and {MaxWaves - 1}";
                if ((checkedWaves & (1UL << row.Wave)) != 0) continue;
                checkedWaves |= 1UL << row.Wave;
                var order = new RolloutOrder(Id, Version, Activator, row.Target, PolicyOf(row.Wave), Probes);
                if (order.Fault.TryGet(out var fault)) return $"wave {row.Wave}: {fault}";
            }

            return Option<string>.None;
        }
    }

    /// <summary>Whether any host is to be switched to this release.</summary>
    public bool Targets(ReleaseId release)
    {
        foreach (var row in Hosts.Values)
        {
            if (row.Target == release) return true;
        }

        return false;
    }

    private RolloutPolicy PolicyOf(int wave) =>
        wave < WaveSoaks.Count && WaveSoaks[wave].TryGet(out var soak) ? Policy with { Soak = soak } : Policy;
}

/// <summary>One host of a manifest: what it is switched to, and when its turn is.</summary>
public sealed record HostRow(ReleaseId Target, int Wave);
