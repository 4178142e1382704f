using System;
using System.Collections.Generic;
using System.Linq;

namespace Agent.Shell.Containers.Engine;

/// <summary>
/// The containers whose processes were seen on this very host. An engine's socket may be forwarded (from Docker
/// Desktop's machine, by ssh or socat), and then its process ids are another machine's: one may well be nobody's here,
/// and another somebody else's. Only a process in the control group of the very container proves that they are ours,
/// and until something does, no process is taken for lost.
/// </summary>
/// <param name="isIn">Whether this process is in the control group of the container with this id.</param>
internal sealed class LocalContainers(Func<int, string, bool> isIn)
{
    /// <summary>No two engines give the same id. Never more than one list held.</summary>
    private volatile IReadOnlySet<string> _seen = new HashSet<string>();

    /// <summary>
    /// Whether a missing process proves anything for what this list holds: one of these containers is, or was, seen here,
    /// so this is the engine of this host.
    /// </summary>
    public bool Look(IReadOnlyList<(EngineRow Row, EngineAccount? Account)> listed)
    {
        var known = _seen;
        var seen = listed.Where(one => known.Contains(one.Row.Id) || IsHere(one.Row.Id, one.Account))
            .Select(one => one.Row.Id).ToHashSet(StringComparer.Ordinal);
        _seen = seen;
        return seen.Count > 0;
    }

    private bool IsHere(string id, EngineAccount? account) => account is { Pid: > 0 and var pid } && isIn(pid, id);
}
