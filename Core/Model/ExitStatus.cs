namespace Agent.Core.Model;

/// <summary>What the kernel said when a process ended.</summary>
public abstract record ExitStatus
{
    private ExitStatus() { }

    public sealed record Exited(int Code) : ExitStatus;

    public sealed record Signaled(int Number) : ExitStatus;

    /// <summary>The kernel killed it because it, or a descendant, wanted more memory than its limit.</summary>
    public sealed record OutOfMemory : ExitStatus;

    /// <summary>It is gone and nobody could see how. Never taken for success.</summary>
    public sealed record Lost : ExitStatus;

    /// <summary>It never ran: the spawn was refused, or a stop came first.</summary>
    public sealed record NeverRan(string Code, string Detail) : ExitStatus;

    public bool IsSuccess => this is Exited { Code: 0 };

    public string Describe() => this switch
    {
        Exited(var code) => $"exit code {code}",
        Signaled(var number) => $"signal {number}",
        OutOfMemory => "a kill at its limit of memory",
        Lost => "an exit that nobody could see",
        NeverRan(var code, var detail) => $"no start at all ({code}: {detail})",
    };
}
