using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Core.Model;

namespace Agent.Shell.Containers;

/// <summary>
/// One container engine as one agent sees it: every call names a container by the uid of the desired item and reaches
/// only what bears the agent's own instance id. Every call is bounded in time and in the size of what is read; it ends
/// with its answer, with a <see cref="ContainerException"/> in the engine's own words, or by its token. One that is
/// disposed ends what it still follows.
/// </summary>
internal interface IContainerBackend : IDisposable
{
    Task<EngineVersion> VersionAsync(CancellationToken stop);

    /// <summary>
    /// Everything that bears this instance's label, each uid once, ordered by uid. A container that the engine does not
    /// tell about in time is Unknown and holds up no other.
    /// </summary>
    Task<IReadOnlyList<ObservedContainer>> ListAsync(CancellationToken stop);

    /// <summary>
    /// Makes the container, not started, with the digest in its label; answers the engine's id. The image must be
    /// there. A name that is taken is a Conflict, whoever took it.
    /// </summary>
    Task<string> CreateAsync(ContainerDefinition definition, string digest, CancellationToken stop);

    /// <summary>Does nothing to a container that runs.</summary>
    Task StartAsync(ContainerUid uid, CancellationToken stop);

    /// <summary>Its stop signal, then a kill after the grace, or at once. Does nothing to one that has ended.</summary>
    Task StopAsync(ContainerUid uid, TimeSpan grace, CancellationToken stop);

    /// <summary>
    /// Kills it if it runs and removes it with its nameless volumes; those with a name stay. What the instance made for all
    /// of its containers, its network, goes with the last of them. Does nothing where there is none.
    /// </summary>
    Task RemoveAsync(ContainerUid uid, CancellationToken stop);

    Task<bool> ImageExistsAsync(string image, CancellationToken stop);

    /// <summary>
    /// Fetches an image from its registry, as whoever the <paramref name="login"/> says, or as nobody. A registry that
    /// sends nothing for minutes is a TimedOut.
    /// </summary>
    Task PullAsync(string image, RegistryLogin? login, IProgress<ImageProgress> progress, CancellationToken stop);

    /// <summary>
    /// Loads the images of an archive that an engine saved, or, with a <paramref name="reference"/>, makes the image of
    /// that name of a tar of its files. Answers what the engine loaded, in its own words.
    /// </summary>
    Task<IReadOnlyList<string>> LoadAsync(
        Stream tar, string? reference, IProgress<ImageProgress> progress, CancellationToken stop);

    /// <summary>What it printed, and with Follow what it prints until it ends.</summary>
    IAsyncEnumerable<LogChunk> LogsAsync(ContainerUid uid, LogRequest request, CancellationToken stop);

    /// <summary>
    /// What changes, until the token; a stream that breaks is an exception, and whoever listens then listens again.
    /// <paramref name="listening"/> is called once changes are told from then on: what went before, a list tells.
    /// </summary>
    IAsyncEnumerable<ContainerChange> EventsAsync(Action listening, CancellationToken stop);

    /// <summary>What one that runs uses, as far as the engine tells it.</summary>
    Task<ContainerStats> StatsAsync(ContainerUid uid, CancellationToken stop);
}

/// <summary>What answers: its name, its version and the version of the protocol that both sides speak.</summary>
internal sealed record EngineVersion(string Name, string Version, string Api);

/// <summary>
/// One step of a pull or a load. <paramref name="Item"/> is a layer or empty; the bytes are 0 where the engine tells
/// none, and <paramref name="Total"/> is 0 where it does not know.
/// </summary>
internal readonly record struct ImageProgress(string Item, string What, long Bytes, long Total);

/// <summary>Without <paramref name="Tail"/> from the beginning.</summary>
internal sealed record LogRequest(bool Follow, int? Tail);

internal enum LogStream
{
    Output,
    Error,
}

/// <summary>Bytes as they were printed; valid until the next one is asked for.</summary>
internal readonly record struct LogChunk(LogStream Stream, ReadOnlyMemory<byte> Bytes);

/// <summary>Something happened to one of ours; <paramref name="What"/> is the engine's word, such as start or die.</summary>
internal sealed record ContainerChange(ContainerUid Uid, string What);

/// <summary>
/// Processor time since its start, memory in use now, its limit, and how many processes it is. Null is what the engine
/// does not tell: a cgroup without a controller has no such account.
/// </summary>
internal sealed record ContainerStats(TimeSpan? Cpu, long? MemoryBytes, long? MemoryLimitBytes, int? Processes)
{
    public bool TellsNothing => Cpu is null && MemoryBytes is null && Processes is null;
}
