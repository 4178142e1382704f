using System;
using System.Collections.Generic;
using Agent.Core.Process;

namespace Agent.Shell.Api;

/// <summary>What became of a spawn request.</summary>
internal abstract record SpawnTranslation
{
    private SpawnTranslation()
    {
    }

    /// <summary>What the core decides about, and beside it what only the spawn itself may see.</summary>
    internal sealed record Accepted(
        ProcessSpec Spec,
        IReadOnlyDictionary<string, string> Environment,
        ReadOnlyMemory<byte> Prelude) : SpawnTranslation;

    internal sealed record Refused(ErrorName Error, string Field, string Detail) : SpawnTranslation;
}
