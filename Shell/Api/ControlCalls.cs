using System;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Loop;
using LanguageExt;
using Event = Agent.Core.Process.ProcessEvent;
using State = Agent.Core.Process.ProcessState;

namespace Agent.Shell.Api;

/// <summary>What is done to one process: wait for it, stop it, start it again, signal it, forget it.</summary>
internal sealed class ControlCalls(ApiParts parts)
{
    // Longer than any task lives; a caller who waits for a service asks again.
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(24);

    // After the kill the kernel needs moments, an uninterruptible call of the process more.
    private static readonly TimeSpan AfterGrace = TimeSpan.FromSeconds(35);

    private readonly Touches _touches = new(parts.Host);
    private readonly LastWords _lastWords = new(parts.Output);

    /// <summary>Never takes anything away: any number may wait, and those who come later get the same exit.</summary>
    public async Task<Answer> WaitAsync(Call call)
    {
        var (request, refused) = await call.ReadAsync(WireJson.Default.WaitRequest);
        if (request is null) return refused!;
        if (request.TimeoutMs < 0) return Answer.Invalid("timeoutMs", "timeoutMs must not be negative");
        if (call.Find(parts.Host) is not { } state) return call.NoSuchProcess();
        var within = Clamp(request.TimeoutMs, LongestWait, LongestWait);
        var exit = await EndAsync(state.Profile.Id, call, within, touch: true);
        return exit.Answer ?? Answer.Json(MappingProcess.Of(exit.Exit!), WireJson.Default.ExitInfo);
    }

    /// <summary>Answered when nothing of it runs any more. Those who stop it at once get the same exit.</summary>
    public async Task<Answer> StopAsync(Call call)
    {
        var (request, refused) = await call.ReadAsync(WireJson.Default.StopRequest);
        if (request is null) return refused!;
        if (request.GraceMs < 0) return Answer.Invalid("graceMs", "graceMs must not be negative");
        if (call.Find(parts.Host) is not { } state) return call.NoSuchProcess();
        if (OfTheRuntime(state) is { } no) return no;
        var grace = Clamp(request.GraceMs, state.Profile.Spec.Grace, ProcessSpec.MaxGrace);
        if (state is not State.Exited)
        {
            var decision = await AskAsync(call, state, new Event.StopRequested(grace));
            if (decision.Refusal is { } refusal) return Answer.Refuse(refusal);
        }

        var end = await EndAsync(state.Profile.Id, call, grace + AfterGrace, touch: false);
        if (end.Answer is { } answer) return answer;
        var last = await _lastWords.OfAsync(state.Profile.Id, call.Stop);
        return Answer.Json(MappingProcess.Of(end.Exit!, last), WireJson.Default.ExitInfo);
    }

    public Task<Answer> StartAsync(Call call) => RunServiceAsync(call, new Event.StartRequested());

    public Task<Answer> RestartAsync(Call call) => RunServiceAsync(call, new Event.RestartRequested());

    public async Task<Answer> SignalAsync(Call call)
    {
        var (request, refused) = await call.ReadAsync(WireJson.Default.SignalRequest);
        if (request is null) return refused!;
        if (WireNames.Signal(request.Signal ?? "") is not { } signal)
        {
            return Answer.Invalid("signal", $"signal must be one of {WireNames.SignalNames}");
        }

        if (call.Find(parts.Host) is not { } state) return call.NoSuchProcess();
        var decision = await AskAsync(call, state, new Event.SignalRequested(signal));
        return decision.Refusal is { } refusal ? Answer.Refuse(refusal) : Answer.Nothing;
    }

    public async Task<Answer> ReleaseAsync(Call call)
    {
        if (call.Find(parts.Host) is not { } state) return call.NoSuchProcess();
        var decision = await AskAsync(call, state, new Event.ReleaseRequested());
        return decision.Refusal is { } refusal ? Answer.Refuse(refusal) : Answer.Nothing;
    }

    private async Task<Answer> RunServiceAsync(Call call, Event @event)
    {
        if (call.Find(parts.Host) is not { } state) return call.NoSuchProcess();
        if (OfTheRuntime(state) is { } no) return no;
        if (state.Profile.Spec.Kind == ProcessKind.Task)
        {
            return Answer.Refuse(ErrorNames.InvalidInput, "only a service can be started again, spawn a new task");
        }

        var decision = await AskAsync(call, state, @event);
        if (decision.Refusal is { } refusal) return Answer.Refuse(refusal);
        if (!decision.After.State.Processes.Find(state.Profile.Id).TryGet(out var after)) return call.NoSuchProcess();
        var output = parts.Output.Count(after.Profile.Id);
        return Answer.Json(MappingProcess.Of(after, parts.Host.Now, output), WireJson.Default.ProcessInfo);
    }

    /// <summary>The exit, or the answer that there is none in time or that the process is not known any more.</summary>
    private async Task<(ProcessExit? Exit, Answer? Answer)> EndAsync(
        ProcessId id, Call call, TimeSpan within, bool touch)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(call.Stop);
        var end = parts.Host.WhenAsync(at => IsOver(at, id), limit.Token);
        if (!end.IsCompleted) limit.CancelAfter(within);
        try
        {
            if (touch) await _touches.WhileAsync(end, id, call.Principal, limit.Token);
            return (await end).State.Processes.Find(id).TryGet(out var state) && state is State.Exited exited
                ? (exited.Exit, null)
                : (null, call.NoSuchProcess());
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !call.Stop.IsCancellationRequested)
        {
            var why = parts.Host.Current.State.Processes.Find(id).TryGet(out var state) ? MappingProcess.Detail(state) : null;
            return (null, Answer.Refuse(
                ErrorNames.WaitTimeout,
                $"it has not ended within {(long)within.TotalMilliseconds} ms{(why is null ? "" : $": {why}")}"));
        }
    }

    private static bool IsOver(Published<HostState> at, ProcessId id) =>
        !at.State.Processes.Find(id).TryGet(out var state) || state is State.Exited;

    private Task<Decision<HostState, HostEffect>> AskAsync(Call call, State state, Event @event) => parts.Host.AskAsync(
        new HostEvent.ProcessRequested(state.Profile.Id, call.Principal, @event), call.Stop);

    private static Answer? OfTheRuntime(State state) => state.Profile.Spec.Kind == ProcessKind.Daemon
        ? Answer.Refuse(ErrorNames.NotAllowed, "it belongs to the container runtime; ensure or stop that instead")
        : null;

    private static TimeSpan Clamp(long? milliseconds, TimeSpan otherwise, TimeSpan most) =>
        milliseconds is not { } given ? otherwise
        : given >= most.TotalMilliseconds ? most
        : TimeSpan.FromMilliseconds(given);
}
