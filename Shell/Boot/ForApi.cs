using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Shell.Api;
using Agent.Shell.Docker;
using Agent.Shell.Effects;
using Agent.Shell.Journal;
using Agent.Shell.Uplink;

namespace Agent.Shell.Boot;

/// <summary>The runtime's probe in the API's words.</summary>
internal sealed class ProbeForApi(Func<EngineLayout> layout) : IRuntimeProbe
{
    private readonly RuntimeProbe _probe = new(layout);

    public async Task<(bool Ready, string Endpoint, string Detail)> ProbeAsync(CancellationToken stop)
    {
        var answer = await _probe.ProbeAsync(stop).ConfigureAwait(false);
        return (answer.Ready, answer.Endpoint, answer.Detail);
    }
}

/// <summary>The journal in the API's words.</summary>
internal sealed class RecordsForApi<TState, TEvent, TEffect>(JournalTail<TState, TEvent, TEffect> tail) : IJournalRecords
{
    public IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(long since, bool follow, CancellationToken stop) =>
        tail.ReadAsync(since, follow, stop);
}

/// <summary>The state's digest in the API's words.</summary>
internal sealed class DigestForApi : IStateDigest
{
    public string Of(HostState state) => StateDigest.Of(state);
}

/// <summary>The plane in the API's words.</summary>
internal sealed class PlaneForApi(PlaneLink link, Func<Task> attach) : IPlane
{
    public PlaneHealth? Health
    {
        get
        {
            if (link.Plane is not { } plane) return null;
            var (heard, failure) = link.Health;
            var identity = link.Identity.Current;
            return new(
                plane.ToString(), identity?.Host.Value, identity?.NotAfter.ToString(), heard?.ToString(), failure?.Why,
                failure?.At.ToString());
        }
    }

    public Task AttachAsync() => attach();
}
