using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Agent.Core.Container;
using Agent.Core.Model;
using LanguageExt;

namespace Agent.Shell.Containers;

/// <summary>
/// The definitions that the configuration declares now, and the engine that is to have them. Whoever works with a
/// definition asks for it by its digest: it may have been replaced meanwhile.
/// </summary>
internal sealed class DeclaredContainers : IDisposable
{
    private readonly Lock _gate = new();
    private readonly ReadOnlyMemory<byte> _key;
    private readonly Func<string> _runtimeSocket;
    private readonly Func<EngineAddress, IContainerBackend> _connect;
    private Dictionary<ContainerUid, (ContainerDefinition Definition, string Digest)> _definitions = [];
    private ContainerSettings _settings = ContainerSettings.None;
    private (EngineAddress Address, IContainerBackend Backend)? _connected;

    /// <param name="key">Of the definitions' digests.</param>
    /// <param name="runtimeSocket">Where the engine that this agent supervises listens.</param>
    /// <param name="connect">Makes the backend of an engine; nothing is asked of it yet.</param>
    public DeclaredContainers(
        ReadOnlyMemory<byte> key, Func<string> runtimeSocket, Func<EngineAddress, IContainerBackend> connect) =>
        (_key, _runtimeSocket, _connect) = (key, runtimeSocket, connect);

    /// <summary>Where the engine is asked.</summary>
    public EngineAddress Engine
    {
        get
        {
            lock (_gate) return _settings.Engine ?? new EngineAddress.Socket(_runtimeSocket());
        }
    }

    /// <summary>The engine's backend, another one when its address is another.</summary>
    public IContainerBackend Backend
    {
        get
        {
            IContainerBackend? left;
            IContainerBackend backend;
            lock (_gate)
            {
                var address = Engine;
                if (_connected is { } known && known.Address == address) return known.Backend;
                left = _connected?.Backend;
                backend = _connect(address);
                _connected = (address, backend);
            }

            // Whoever follows the one that is left may ask for the other at once, and on this very thread.
            left?.Dispose();
            return backend;
        }
    }

    /// <summary>The file with this host's logins at registries; null: none are given.</summary>
    public string? RegistryAuth
    {
        get
        {
            lock (_gate) return _settings.RegistryAuth;
        }
    }

    /// <summary>Takes the place of what was declared, and says it as the core wants to hear it.</summary>
    public ContainersEvent.Declared Declare(ContainerSettings settings)
    {
        var definitions = settings.Definitions.ToDictionary(
            definition => definition.Uid, definition => (definition, DefinitionDigest.Of(definition, _key.Span)));
        lock (_gate) (_settings, _definitions) = (settings, definitions);
        return new(
            definitions.Values.Select(one => one.definition.ToSpec(one.Item2)).ToArray().ToSeq(), settings.Install,
            UsesRuntime: settings.Engine is null, settings.RemoveDropped);
    }

    /// <summary>These settings, where what they declare cannot be made out: the definitions stay as they were.</summary>
    public void Keep(ContainerSettings settings)
    {
        lock (_gate) _settings = settings;
    }

    /// <summary>The definition with this digest.</summary>
    /// <exception cref="ContainerException">It is declared no more, or otherwise.</exception>
    public ContainerDefinition Find(ContainerUid uid, string digest)
    {
        lock (_gate)
        {
            return _definitions.TryGetValue(uid, out var one) && one.Digest == digest
                ? one.Definition
                : throw new ContainerException(ContainerFault.Refused, $"the definition of {uid} changed meanwhile");
        }
    }

    public void Dispose() => _connected?.Backend.Dispose();
}
