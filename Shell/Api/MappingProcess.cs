using System;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Time;
using Agent.Shell.Linux;
using State = Agent.Core.Process.ProcessState;

namespace Agent.Shell.Api;

/// <summary>A process as the wire shows it.</summary>
internal static class MappingProcess
{
    public static ProcessInfo Of(State state, Instant now, OutputCounters output)
    {
        var profile = state.Profile;
        return new(
            profile.Id.Value,
            profile.Spec.Label,
            WireNames.Of(profile.Spec.Kind),
            profile.Spec.Owner.Uid,
            [.. profile.Spec.Command],
            Pid(state),
            Phase(state),
            Detail(state),
            Exit(state) is { } exit ? Of(exit) : null,
            Milliseconds(now - profile.CreatedAt),
            state is State.Running running ? Milliseconds(now - running.TouchedAt) : 0,
            output.BufferedBytes,
            output.BytesDropped,
            output.StdinOpen,
            profile.Tally.Restarts,
            profile.Tally.CrashLooping,
            profile.Generation,
            state is State.Running { Adopted: true },
            state is State.Running { IsReady: true });
    }

    public static ExitInfo Of(ProcessExit exit, LastOutput? last = null) => new(
        exit.Status is ExitStatus.Exited(var code) ? code : null,
        exit.Status is ExitStatus.Signaled(var number) ? number : exit.Status is ExitStatus.OutOfMemory ? (int)Signal.Kill : null,
        WireNames.Of(exit.Reason),
        exit.Status is ExitStatus.Exited ? null : exit.Status.Describe(),
        Milliseconds(exit.Cpu),
        exit.PeakMemoryBytes,
        last);

    /// <summary>A service that waits for others counts as starting: it is wanted and does not run yet.</summary>
    public static string Phase(State state) => state switch
    {
        State.Waiting or State.Starting => "starting",
        State.Running => "running",
        State.Stopping => "stopping",
        State.Backoff => "backoff",
        State.Exited or State.Reaped => "exited",
    };

    private static int? Pid(State state) => state switch
    {
        State.Running running => running.Identity.Pid,
        State.Stopping stopping => stopping.Identity.Pid,
        State.Waiting or State.Starting or State.Backoff or State.Exited or State.Reaped => null,
    };

    private static ProcessExit? Exit(State state) => state switch
    {
        State.Backoff backoff => backoff.Last,
        State.Exited exited => exited.Exit,
        State.Waiting or State.Starting or State.Running or State.Stopping or State.Reaped => null,
    };

    /// <summary>What else there is to say of where it stands.</summary>
    public static string? Detail(State state) => state switch
    {
        State.Waiting waiting =>
            $"waits for {string.Join(", ", waiting.Profile.Spec.After.Join(waiting.Profile.Spec.AfterStarted))}",
        State.Starting { Pending.IsSome: true } => "is stopped as soon as it runs",
        State.Starting => null,
        State.Running running when running.ReadyBy.TryGet(out var by) => $"is not ready yet, has until {by}",
        State.Running { Profile.Tally.CrashLooping: true } => "has been crash-looping",
        State.Running => null,
        State.Stopping stopping =>
            $"{WireNames.Of(stopping.Plan.Reason)}, killed at {stopping.KillAt}{Then(stopping.Plan)}{HeldUp(stopping.Identity.Pid)}",
        State.Backoff backoff => $"{backoff.Last.Status.Describe()}, started again at {backoff.Until}",
        State.Exited exited => exited.ReapAt.TryGet(out var at)
            ? $"{exited.Exit.Status.Describe()}, kept until {at}"
            : exited.Exit.Status.Describe(),
        State.Reaped => null,
    };

    private static string Then(StopPlan plan) => plan.Then switch
    {
        AfterStop.StartAgain => ", then started again",
        AfterStop.Obey => ", then restarted as its policy says",
        _ => "",
    };

    private static string HeldUp(int pid) => Processes.IsUninterruptible(pid)
        ? "; it waits in the kernel, for a disk or a mount, and no kill ends it before that answers"
        : "";

    private static long Milliseconds(TimeSpan span) => Math.Max(0, (long)span.TotalMilliseconds);
}
