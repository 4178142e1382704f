using System;
using System.Collections.Generic;
using System.Threading;

namespace Agent.Shell.Api;

/// <summary>The journal's durable records, for readers.</summary>
internal interface IJournalRecords
{
    /// <summary>
    /// The records whose seq is at least <paramref name="since"/>, as far as they are kept, in order: each one the
    /// JSON object of its line, valid until the next is asked for. With <paramref name="follow"/> it goes on with
    /// new ones as they become durable, until it is stopped.
    /// </summary>
    IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(long since, bool follow, CancellationToken stop);
}
