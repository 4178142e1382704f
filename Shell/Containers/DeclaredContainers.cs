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
    private readonly Func<string, IContainerBackend> _connect;
    private Dictionary<ContainerUid, (ContainerDefinition Definition, string Digest)> _definitions = [];
    private ContainerSettings _settings = ContainerSettings.None;
    private (string Socket, IContainerBackend Backend)? _connected;

    /// <param name="key">Of the definitions' digests.</param>
    /// <param name="runtimeSocket">Where the engine that this agent supervises listens.</param>
    /// <param name="connect">Makes the backend of a socket; nothing is asked of it yet.</param>
    public DeclaredContainers(
        ReadOnlyMemory<byte> key, Func<string> runtimeSocket, Func<string, IContainerBackend> connect) =>
        (_key, _runtimeSocket, _connect) = (key, runtimeSocket, connect);

    /// <summary>Where the engine listens.</summary>
    public string Socket
    {
        get
        {
            lock (_gate) return _settings.Socket ?? _runtimeSocket();
        }
    }

    /// <summary>The engine's backend, another one when its socket is another.</summary>
    public IContainerBackend Backend
    {
        get
        {
            lock (_gate)
            {
                var socket = _settings.Socket ?? _runtimeSocket();
                if (_connected is { } known && known.Socket == socket) return known.Backend;
                (_connected?.Backend as IDisposable)?.Dispose();
                var backend = _connect(socket);
                _connected = (socket, backend);
                return backend;
            }
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
            UsesRuntime: settings.Socket is null);
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

    public void Dispose() => (_connected?.Backend as IDisposable)?.Dispose();
}
