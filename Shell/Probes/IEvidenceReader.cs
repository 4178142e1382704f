using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Time;

namespace Agent.Shell.Probes;

/// <summary>Reads evidence and vouches for it: who signed it is who may.</summary>
internal interface IEvidenceReader
{
    /// <summary>What it finds is a value; it throws only when it is stopped.</summary>
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
