using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Time;

namespace Agent.Shell.Probes;

/// <summary>Reads evidence and vouches for it: who signed it is who may.</summary>
internal interface IEvidenceReader
{
    /// <summary>Never throws for what it finds.</summary>
    Task<EvidenceReading> ReadAsync(string path, CancellationToken stop);
}

/// <summary>What an evidence file and its signature gave.</summary>
internal abstract record EvidenceReading
{
    private EvidenceReading() { }

    internal sealed record Verified(Instant SignedAt, IReadOnlyList<Finding> Findings) : EvidenceReading;

    internal sealed record Refused(string Why) : EvidenceReading;
}

/// <summary>One control as its checker saw it. It may come once for each article that it shows.</summary>
internal sealed record Finding(string Id, bool Passed, string? Framework, string? Article);

/// <summary>Nobody's signature counts here.</summary>
internal sealed class NoEvidence : IEvidenceReader
{
    public Task<EvidenceReading> ReadAsync(string path, CancellationToken stop) => Task.FromResult<EvidenceReading>(
        new EvidenceReading.Refused("this host trusts no key to sign evidence"));
}
