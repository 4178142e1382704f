using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Shell.Activators.Releases;
using Agent.Shell.Config;
using Agent.Shell.Containers.Compose;
using Agent.Shell.Loop;

namespace Agent.Shell.Containers;

/// <summary>
/// Tells the core which containers are declared: by the configuration, or by the release that it names. A release's set
/// is read from where its channel's link leads at that moment, so whoever asks last declares what stands.
/// </summary>
internal sealed class ContainerDeclaration(
    IHost host, ReleaseStore store, DeclaredContainers declared, Func<ContainerSettings> settings) : IDisposable
{
    // A reload and a switch may come at once; what is read later must be declared later.
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>What is wrong with the set that this release declares; nothing where none is taken of it.</summary>
    public IReadOnlyList<string> Check(ChannelName channel, string sha256)
    {
        var mistakes = new Mistakes();
        if (Of(channel) is { } set) Read(set, sha256, mistakes);
        return mistakes.Told;
    }

    /// <summary>The channel's link has moved: as <see cref="DeclareAsync"/>, if its releases have the set.</summary>
    public async Task<IReadOnlyList<string>> SwitchedAsync(ChannelName channel, CancellationToken stop) =>
        Of(channel) is null ? [] : await DeclareAsync(stop).ConfigureAwait(false);

    /// <summary>Declares what stands. What is wrong with it is answered, and then the set stays as it was.</summary>
    public async Task<IReadOnlyList<string>> DeclareAsync(CancellationToken stop)
    {
        await _turn.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            var chosen = settings();
            var mistakes = new Mistakes();
            if (chosen.Release is { } set) chosen = chosen with { Definitions = ReadCurrent(set, mistakes) };
            if (mistakes.Told.Count > 0)
            {
                // The engine is the configuration's own all the same: on another one, all would be made again.
                declared.Keep(chosen);
                return mistakes.Told;
            }

            var told = declared.Declare(chosen);

            // A host that never had a container writes nothing of any.
            if (told.Specs.IsEmpty && host.Current.State.Containers.Passing is PassState.Off) return [];
            await host.AskAsync(new HostEvent.ContainersReported(told), stop).ConfigureAwait(false);
            return [];
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private ReleasedSet? Of(ChannelName channel) =>
        settings().Release is { } set && set.Channel.Value == channel.Value ? set : null;

    private IReadOnlyList<ContainerDefinition> ReadCurrent(ReleasedSet set, Mistakes mistakes)
    {
        try
        {
            return store.Current(set.Channel.Value) is { } sha256 ? Read(set, sha256, mistakes) : [];
        }
        catch (ReleaseRefused refusal)
        {
            mistakes.Add(refusal.Message);
            return [];
        }
    }

    /// <summary>
    /// Through the release's own path, not the channel's link: what it mounts of its tree is another path in each
    /// release, and so another definition. A release without the file declares nothing.
    /// </summary>
    private IReadOnlyList<ContainerDefinition> Read(ReleasedSet set, string sha256, Mistakes mistakes)
    {
        var file = Path.Combine(store.PathOf(sha256), set.Path);
        return File.Exists(file) ? ComposeReader.Read(file, Environments.Whole(), mistakes) : [];
    }
}
