using Agent.Core.Model;

namespace Agent.Core.Process;

/// <summary>
/// What the shell must do for a process. Data only; all but the spawn may be done twice without harm.
/// </summary>
public abstract record ProcessEffect
{
    private ProcessEffect() { }

    /// <summary>
    /// Start this generation. The keeper starts one process for one (id, generation), however often it is asked.
    /// </summary>
    public sealed record Spawn(ProcessId Id, int Generation, ProcessSpec Spec) : ProcessEffect;

    /// <summary>It already runs: take its output up again where it was left.</summary>
    public sealed record Adopt(ProcessId Id, int Generation, ProcessSpec Spec) : ProcessEffect;

    /// <summary>To the whole process group, through its checked identity.</summary>
    public sealed record SendSignal(ProcessId Id, int Generation, Signal Signal) : ProcessEffect;

    /// <summary>Every descendant, whatever it did to hide.</summary>
    public sealed record KillTree(ProcessId Id, int Generation) : ProcessEffect;

    /// <summary>Its exit is recorded: once its last output is read, the keeper may forget it.</summary>
    public sealed record Forget(ProcessId Id, int Generation) : ProcessEffect;

    /// <summary>No further generation comes: its output ends where the last one's ended.</summary>
    public sealed record CloseOutput(ProcessId Id) : ProcessEffect;

    /// <summary>Remove its output and its secrets.</summary>
    public sealed record Reap(ProcessId Id, ReapReason Reason) : ProcessEffect;

    /// <summary>The event changed nothing, and why.</summary>
    public sealed record Reject(ErrorCode Code, string Reason) : ProcessEffect;
}
