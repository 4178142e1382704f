using System;
using System.Collections.Generic;
using Agent.Core.Model;

namespace Agent.Shell.Effects;

/// <summary>What a spawn needs and no journal may hold: environment values and the stdin prelude.</summary>
internal interface ISpawnSecrets
{
    /// <summary>Keeps them, durably, before the spawn is asked for.</summary>
    void Put(ProcessId id, IReadOnlyDictionary<string, string> environment, ReadOnlyMemory<byte> prelude);

    /// <summary>Forgets them; there may be none.</summary>
    void Remove(ProcessId id);
}
