using System;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Shell.Api;
using Agent.Shell.Loop;
using Agent.Shell.Observability;
using Agent.Shell.Pki;
using Agent.Shell.Trust;

namespace Agent.Shell.Plane;

/// <summary>What the plane's calls are made of.</summary>
/// <param name="Trust">The keys that publishers sign with, read anew each time.</param>
internal sealed record PlaneParts(
    string Version,
    ILoop<PlaneState, PlaneEvent, PlaneEffect> Loop,
    ServerDoor Door,
    Authority Authority,
    PublishedStore Published,
    DispatchBell Bell,
    HostQuotas Quotas,
    LastSeen Seen,
    IJournalRecords Records,
    Func<Checked<TrustFile>> Trust,
    Counters Counters,
    WallClock Wall);

/// <summary>
/// When each host was last heard. In memory only: a heartbeat that says nothing new is no event, and a plane that starts
/// again hears of everybody within a minute.
/// </summary>
internal sealed class LastSeen(Func<Core.Time.Instant> clock)
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<HostName, Core.Time.Instant> _at = new();

    public void Note(HostName host) => _at[host] = clock();

    public Core.Time.Instant? Of(HostName host) => _at.TryGetValue(host, out var at) ? at : null;
}
