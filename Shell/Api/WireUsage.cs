using System.Collections.Generic;

namespace Agent.Shell.Api;

/// <summary>What processes take, all they started included.</summary>
/// <param name="AtMs">
/// When it was seen, on a clock that only runs forward: the difference of two answers is what a rate is over.
/// </param>
internal sealed record UsageInfo(long AtMs, IReadOnlyList<ProcessUsage> Processes);

/// <param name="Members">How many processes it is; 0 where nothing of it runs.</param>
/// <param name="CpuMs">Of all that run, and of the children they have reaped.</param>
/// <param name="ResidentBytes">Pages that several share count for each.</param>
/// <param name="OutputBytes">All that it ever wrote to both streams.</param>
/// <param name="UpMs">Since its oldest member was started; left out where nothing of it runs.</param>
internal sealed record ProcessUsage(
    string Id, int Members, long CpuMs, long ResidentBytes, long OutputBytes, long? UpMs);

/// <param name="Left">How many more there are than are shown.</param>
internal sealed record TreeInfo(string Id, string Label, IReadOnlyList<TreeMember> Processes, int Left);

/// <param name="State">One letter, as the kernel shows it: R running, S sleeping, D waiting for a disk, T stopped, Z ended.</param>
/// <param name="Command">Its arguments, cut at 4 KiB.</param>
/// <param name="ProportionalBytes">With shared pages in equal parts; left out where it may not be read.</param>
internal sealed record TreeMember(
    int Pid,
    int Parent,
    string State,
    IReadOnlyList<string> Command,
    long CpuMs,
    long ResidentBytes,
    long? ProportionalBytes);
