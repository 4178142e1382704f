using System;
using System.Collections.Generic;
using System.Globalization;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Linux;

namespace Agent.Shell.Api;

/// <summary>What processes are made of and what they take, as the kernel tells it. No decision looks at it.</summary>
internal sealed class UsageCalls(ApiParts parts)
{
    // A tree that is looked at by people; what forks more than this is told by its number.
    public const int MostMembers = 1024;

    private readonly Families _families = Families.OfThisMachine();

    public Task<Answer> UsageAsync(Call call)
    {
        var all = parts.Host.Current.State.Processes.All.Values;
        var members = _families.Of(all);
        var list = new List<ProcessUsage>();
        foreach (var state in all)
        {
            if (call.Principal.MayTouch(state.Profile.Spec.Owner)) list.Add(Of(state.Profile.Id, members));
        }

        return Task.FromResult(Answer.Json(new(members.AtMilliseconds, list), WireJson.Default.UsageInfo));
    }

    public Task<Answer> TreeAsync(Call call)
    {
        if (call.Find(parts.Host) is not { } state) return Task.FromResult(call.NoSuchProcess());
        var family = _families.Of(parts.Host.Current.State.Processes.All.Values).Of(state.Profile.Id);
        var shown = new List<TreeMember>();
        for (var i = 0; i < Math.Min(family.Count, MostMembers); i++) shown.Add(Of(family[i]));
        var (id, label) = (state.Profile.Id.Value, state.Profile.Spec.Label);
        return Task.FromResult(Answer.Json(
            new(id, label, shown, family.Count - shown.Count), WireJson.Default.TreeInfo));
    }

    private ProcessUsage Of(ProcessId id, Families.Members members)
    {
        long cpu = 0, resident = 0, oldest = long.MaxValue;
        var family = members.Of(id);
        foreach (var one in family)
        {
            cpu += one.CpuMilliseconds;
            resident += one.ResidentBytes;
            oldest = Math.Min(oldest, one.StartedMilliseconds);
        }

        return new(
            id.Value, family.Count, cpu, resident, Written(id, OutputStream.Stdout) + Written(id, OutputStream.Stderr),
            family.Count == 0 ? null : Math.Max(0, members.AtMilliseconds - oldest));
    }

    /// <summary>A cursor that lies behind everything is answered with where everything ends.</summary>
    private long Written(ProcessId id, OutputStream stream) => parts.Output.Since(id, stream, long.MaxValue, 1) switch
    {
        OutputRead.Beyond(var end) => end,
        OutputRead.Slice slice => slice.Next,
        OutputRead.Absent => 0,
    };

    private static TreeMember Of(RunningProcess one) => new(
        one.Pid, one.Parent, one.State.ToString(CultureInfo.InvariantCulture), one.Command(), one.CpuMilliseconds,
        one.ResidentBytes, one.ProportionalBytes());
}
