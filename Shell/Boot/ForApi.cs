using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Shell.Api;
using Agent.Shell.Docker;
using Agent.Shell.Effects;
using Agent.Shell.Journal;

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
internal sealed class RecordsForApi(JournalTail<HostState, HostEvent, HostEffect> tail) : IJournalRecords
{
    public IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(long since, bool follow, CancellationToken stop) =>
        tail.ReadAsync(since, follow, stop);
}

/// <summary>The state's digest in the API's words.</summary>
internal sealed class DigestForApi : IStateDigest
{
    public string Of(HostState state) => StateDigest.Of(state);
}
