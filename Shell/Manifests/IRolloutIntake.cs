using System;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;

namespace Agent.Shell.Manifests;

/// <summary>Takes signed manifests in, wherever they come from.</summary>
internal interface IRolloutIntake
{
    /// <summary>
    /// Everything is verified and the release is in the store before the core hears of it. Never throws for what the
    /// bundle holds.
    /// </summary>
    Task<IntakeResult> TakeAsync(Bundle bundle, Principal by, CancellationToken stop);
}

/// <summary>
/// A manifest and its signatures as they were received; for a release its signed descriptor, and the path of its
/// archive unless the store has it.
/// </summary>
internal sealed record Bundle(
    ReadOnlyMemory<byte> Manifest,
    ReadOnlyMemory<byte> Signatures,
    ReadOnlyMemory<byte>? Release,
    ReadOnlyMemory<byte>? ReleaseSignatures,
    string? Archive)
{
    /// <summary>
    /// Brings the archive of this digest and length into a file and answers its path; asked only once all else is
    /// verified and the store has it not. The file is taken away afterwards.
    /// </summary>
    public Func<string, long, CancellationToken, Task<string>>? Fetch { get; init; }
}

/// <summary>What became of a bundle.</summary>
internal abstract record IntakeResult
{
    private IntakeResult()
    {
    }

    public sealed record Taken(RolloutId Id) : IntakeResult;

    /// <summary>This very manifest is known; nothing changed.</summary>
    public sealed record Known(RolloutId Id) : IntakeResult;

    /// <summary>Nothing changed. The code is stable and in kebab-case.</summary>
    public sealed record Refused(string Code, string Detail) : IntakeResult;
}
