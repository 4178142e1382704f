namespace Agent.Core.Process;

/// <summary>
/// What a process and its descendants may use at most: bytes of memory, thousandths of a processor, processes and
/// threads, open files of each. What cannot be held to is refused at the spawn.
/// </summary>
public sealed record ProcessLimits(
    Option<long> MemoryBytes, Option<int> CpuThousandths, Option<int> Pids, Option<int> OpenFiles)
{
    /// <summary>Less than this no program of any kind starts.</summary>
    public const long LeastMemory = 1 << 20;

    public const int MostCpuThousandths = 1_000_000;

    public const int MostPids = 4 << 20;

    /// <summary>Below this a program cannot even load its libraries.</summary>
    public const int LeastOpenFiles = 8;

    /// <summary>The kernel's own bound (fs.nr_open) as it comes.</summary>
    public const int MostOpenFiles = 1 << 20;

    public static ProcessLimits None { get; } = new(
        Option<long>.None, Option<int>.None, Option<int>.None, Option<int>.None);

    public bool IsNone => MemoryBytes.IsNone && CpuThousandths.IsNone && Pids.IsNone && OpenFiles.IsNone;

    public bool SameAs(ProcessLimits other) =>
        ProcessSpec.Same(MemoryBytes, other.MemoryBytes) && ProcessSpec.Same(CpuThousandths, other.CpuThousandths)
        && ProcessSpec.Same(Pids, other.Pids) && ProcessSpec.Same(OpenFiles, other.OpenFiles);
}
