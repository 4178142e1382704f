using System;
using System.Collections.Generic;
using System.Linq;
using Agent.Core.Model;
using Agent.Core.Runtime;
using LanguageExt;

namespace Agent.Shell.Effects;

/// <summary>The rows of a start under way: one for each daemon, in the order in which they start.</summary>
internal sealed class ServiceTable
{
    private readonly List<ServiceStatus> _rows =
        [Unknown(RuntimeMachine.Containerd), Unknown(RuntimeMachine.Dockerd)];

    public Seq<ServiceStatus> Rows => _rows.ToArray().ToSeq();

    /// <summary>Replaces the row of that name and tells whether it says something new.</summary>
    public bool Set(ServiceStatus row)
    {
        var index = _rows.FindIndex(known => string.Equals(known.Name, row.Name, StringComparison.Ordinal));
        if (Same(_rows[index], row)) return false;
        _rows[index] = row;
        return true;
    }

    private static ServiceStatus Unknown(string name) =>
        new(name, ServiceHealth.NotReady, "not looked at yet", Option<int>.None, Owned: false);

    /// <summary>Written out because LanguageExt's own equality is found by reflection.</summary>
    private static bool Same(ServiceStatus left, ServiceStatus right) =>
        left.Health == right.Health && left.Owned == right.Owned
        && string.Equals(left.Detail, right.Detail, StringComparison.Ordinal)
        && left.Pid.TryGet(out var first) == right.Pid.TryGet(out var second) && first == second;
}
