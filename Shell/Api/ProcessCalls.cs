using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Effects;
using Agent.Shell.Loop;
using Microsoft.AspNetCore.Http;
using Event = Agent.Core.Process.ProcessEvent;
using State = Agent.Core.Process.ProcessState;

namespace Agent.Shell.Api;

/// <summary>Processes: spawn one, list them, look at some.</summary>
internal sealed class ProcessCalls(ApiParts parts)
{
    // As many as the host can have: all tasks and most services in one question.
    public const int MaxIds = 1024;

    // A spawn takes a millisecond. After this long the caller is told that it still starts.
    private static readonly TimeSpan SpawnAnswerWithin = TimeSpan.FromSeconds(10);

    /// <summary>Answered once it runs: a command that cannot run is an error here and not a riddle later.</summary>
    public async Task<Answer> SpawnAsync(Call call)
    {
        var (request, refused) = await call.ReadAsync(WireJson.Default.SpawnRequest);
        if (request is null) return refused!;
        return SpawnRequests.Translate(request, call.Principal, Directory.Exists) switch
        {
            SpawnTranslation.Refused no => Answer.Refuse(no.Error, no.Detail, no.Field),
            SpawnTranslation.Accepted accepted => await SpawnAsync(accepted, call.Principal, call.Stop),
        };
    }

    public Task<Answer> ListAsync(Call call)
    {
        var label = call.Query("label");
        var list = new List<ProcessInfo>();
        foreach (var state in parts.Host.Current.State.Processes.All.Values)
        {
            var spec = state.Profile.Spec;
            if (call.Principal.MayTouch(spec.Owner) && (label is null || spec.Label == label)) list.Add(Info(state));
        }

        return Task.FromResult(Answer.Json(list, WireJson.Default.IReadOnlyListProcessInfo));
    }

    public async Task<Answer> SelectAsync(Call call)
    {
        var (request, refused) = await call.ReadAsync(WireJson.Default.IdsRequest);
        if (request is null) return refused!;
        if (request.Ids is not { } ids) return Answer.Invalid("ids", "ids must be a list of ids");
        if (ids.Count > MaxIds) return Answer.Invalid("ids", $"ids may have at most {MaxIds} entries");
        var known = parts.Host.Current.State.Processes;
        var list = new List<ProcessInfo>();
        foreach (var text in ids)
        {
            if (text is null) return Answer.Invalid("ids", "ids must be a list of ids");
            if (!ProcessId.Parse(text).TryGet(out var id)) continue;
            if (known.Find(id, call.Principal).TryGet(out var state)) list.Add(Info(state));
        }

        return Answer.Json(list, WireJson.Default.IReadOnlyListProcessInfo);
    }

    public Task<Answer> ReadAsync(Call call) =>
        Task.FromResult(call.Find(parts.Host) is { } state ? Answered(state) : call.NoSuchProcess());

    private async Task<Answer> SpawnAsync(SpawnTranslation.Accepted accepted, Principal by, CancellationToken stop)
    {
        var id = Ids.New();
        var decision = await DecideAsync(id, accepted);
        if (decision.Refusal is { } refusal) return Answer.Refuse(refusal);
        var state = await StartedAsync(id, decision, stop);
        if (NeverRan(state) is not { } never) return Answered(state, StatusCodes.Status201Created);
        await ForgetAsync(id, by, stop);
        return Answer.Refuse(ErrorNames.InvalidInput, $"it cannot run: {never.Detail} ({never.Code})");
    }

    /// <summary>A caller who hangs up meanwhile leaves a process or nothing, and no secrets of one that never was.</summary>
    private async Task<Decision<HostState, HostEffect>> DecideAsync(ProcessId id, SpawnTranslation.Accepted accepted)
    {
        var begins = false;
        parts.Secrets.Put(id, accepted.Environment, accepted.Prelude);
        try
        {
            var decision = await parts.Host.AskAsync(new HostEvent.SpawnRequested(id, accepted.Spec), CancellationToken.None);
            begins = decision.Refusal is null;
            return decision;
        }
        finally
        {
            if (!begins) parts.Secrets.Remove(id);
        }
    }

    /// <summary>The process once its first spawn was answered, or as it is when that takes too long.</summary>
    private async Task<State> StartedAsync(ProcessId id, Decision<HostState, HostEffect> decision, CancellationToken stop)
    {
        var state = decision.After.State.Processes.All[id];
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(SpawnAnswerWithin);
        try
        {
            await parts.Host.WhenAsync(
                at =>
                {
                    if (!at.State.Processes.Find(id).TryGet(out var found)) return true;
                    state = found;
                    return found is not State.Starting;
                },
                limit.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            // It still starts, and the answer says so.
        }

        return state;
    }

    private static ExitStatus.NeverRan? NeverRan(State state) => state switch
    {
        State.Exited exited => exited.Exit.Status as ExitStatus.NeverRan,
        State.Backoff backoff => backoff.Last.Status as ExitStatus.NeverRan,
        State.Waiting or State.Starting or State.Running or State.Stopping or State.Reaped => null,
    };

    /// <summary>Nobody learns its id, so it must not count against its owner for the time of its retention.</summary>
    private async Task ForgetAsync(ProcessId id, Principal by, CancellationToken stop)
    {
        var atOnce = new Event.StopRequested(TimeSpan.Zero);
        await parts.Host.PostAsync(new HostEvent.ProcessRequested(id, by, atOnce), stop);
        await parts.Host.AskAsync(new HostEvent.ProcessRequested(id, by, new Event.ReleaseRequested()), stop);
    }

    private ProcessInfo Info(State state) =>
        MappingProcess.Of(state, parts.Host.Now, parts.Output.Count(state.Profile.Id));

    private Answer Answered(State state, int status = StatusCodes.Status200OK) =>
        Answer.Json(Info(state), WireJson.Default.ProcessInfo, status);
}
