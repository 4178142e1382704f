using System;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Shell.Manifests;
using Microsoft.AspNetCore.Http;

namespace Agent.Shell.Api;

/// <summary>Rollouts: apply a signed manifest, look, follow, and an operator's three words.</summary>
internal sealed class RolloutCalls(ApiParts parts)
{
    private static readonly ReadOnlyMemory<byte> Newline = "\n"u8.ToArray();

    /// <summary>
    /// Verifies, takes the release in and hands the order to the core. What is known already is answered as it stands,
    /// so that asking again after a lost answer is harmless.
    /// </summary>
    public async Task<Answer> ApplyAsync(Call call)
    {
        if (Forbidden(call) is { } forbidden) return forbidden;
        var (request, refused) = await call.ReadAsync(WireJson.Default.ApplyRequest);
        if (request is null) return refused!;
        var bundle = new Bundle(
            request.Manifest, request.Signatures, request.Release, request.ReleaseSignatures, request.Archive);
        return await parts.Intake.TakeAsync(bundle, call.Principal, call.Stop) switch
        {
            IntakeResult.Taken(var id) => Shown(id, StatusCodes.Status201Created),
            IntakeResult.Known(var id) => Shown(id, StatusCodes.Status200OK),
            IntakeResult.Refused(var code, var detail) => Answer.Refuse(
                new ErrorName(code, StatusCodes.Status422UnprocessableEntity, "This manifest is refused"), detail),
        };
    }

    /// <summary>Newest first.</summary>
    public Task<Answer> ListAsync(Call call) => Task.FromResult(Answer.Json(
        [.. parts.Host.Current.State.Rollouts.All.Values
            .OrderByDescending(state => state.Profile.ReceivedAt)
            .ThenByDescending(state => state.Profile.Order.Version).Select(MappingRollout.Of)],
        WireJson.Default.IReadOnlyListRolloutInfo));

    public Task<Answer> ReadAsync(Call call) =>
        Task.FromResult(Find(call) is { } state
            ? Answer.Json(MappingRollout.Of(state), WireJson.Default.RolloutInfo)
            : Unknown(call));

    /// <summary>A line at once, then one for each change, until nothing more happens by itself.</summary>
    public Task<Answer> WatchAsync(Call call)
    {
        if (Find(call) is not { } first) return Task.FromResult(Unknown(call));
        var id = first.Profile.Order.Id;
        return Task.FromResult(Answer.Lines(async (body, stop) =>
        {
            var state = first;
            while (true)
            {
                await WriteLineAsync(body, state, stop);
                if (MappingRollout.IsDecided(state)) return;
                var seen = state;
                var next = await parts.Host.WhenAsync(at => !IsSame(at.State, id, seen), stop);
                if (!next.State.Rollouts.Find(id).TryGet(out state)) return;
            }
        }));
    }

    public Task<Answer> HaltAsync(Call call) => AskAsync(call, new RolloutEvent.HaltRequested());

    public Task<Answer> RetryAsync(Call call) => AskAsync(call, new RolloutEvent.RetryRequested());

    public Task<Answer> RollbackAsync(Call call) => AskAsync(call, new RolloutEvent.RollbackRequested());

    private async Task<Answer> AskAsync(Call call, RolloutEvent @event)
    {
        if (Forbidden(call) is { } forbidden) return forbidden;
        if (Find(call) is not { } state) return Unknown(call);
        var id = state.Profile.Order.Id;
        var asked = new HostEvent.RolloutRequested(id, call.Principal, @event);
        var decision = await parts.Host.AskAsync(asked, call.Stop);
        return decision.Refusal is { } refusal ? Answer.Refuse(refusal) : Shown(id, StatusCodes.Status200OK);
    }

    private Answer Shown(RolloutId id, int status) =>
        parts.Host.Current.State.Rollouts.Find(id).TryGet(out var state)
            ? Answer.Json(MappingRollout.Of(state), WireJson.Default.RolloutInfo, status)
            : Answer.Refuse(ErrorNames.NoSuchRollout, $"{id} was decided long ago and is forgotten");

    private RolloutState? Find(Call call) =>
        RolloutId.Parse(call.Value("id")).TryGet(out var id)
            && parts.Host.Current.State.Rollouts.Find(id).TryGet(out var state)
            ? state
            : null;

    private static bool IsSame(HostState state, RolloutId id, RolloutState seen) =>
        state.Rollouts.Find(id).TryGet(out var now) && ReferenceEquals(now, seen);

    private static Answer Unknown(Call call) =>
        Answer.Refuse(ErrorNames.NoSuchRollout, $"no rollout {call.Value("id")}");

    /// <summary>A rollout changes the whole host, so it is root's.</summary>
    private static Answer? Forbidden(Call call) => call.Principal.IsRoot
        ? null
        : Answer.Refuse(ErrorNames.NotAllowed, "only root may change what this host runs");

    private static async Task WriteLineAsync(Stream body, RolloutState state, CancellationToken stop)
    {
        var line = JsonSerializer.SerializeToUtf8Bytes(MappingRollout.Of(state), WireJson.Default.RolloutInfo);
        await body.WriteAsync(line, stop);
        await body.WriteAsync(Newline, stop);
        await body.FlushAsync(stop);
    }
}
