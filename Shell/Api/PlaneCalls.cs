using System;
using System.Globalization;
using System.Linq;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Outbox;
using Agent.Shell.Loop;

namespace Agent.Shell.Api;

/// <summary>The way to the plane and what is owed to it.</summary>
internal sealed class PlaneCalls(ApiParts parts)
{
    public static PlaneInfo? Of(IPlane plane, OutboxState outbox) => plane.Health is not { } health ? null : new(
        health.Url, health.Host, health.CertificateUntil, health.HeardAt, health.Failure, health.FailedAt, Of(outbox));

    public Task<Answer> ReadAsync(Call call) => Task.FromResult(
        Of(parts.Plane, parts.Host.Current.State.Outbox) is { } plane
            ? Answer.Json(plane, WireJson.Default.PlaneInfo)
            : Answer.Refuse(ErrorNames.NoPlane, "no plane is configured; enrol this host with `agent enroll`"));

    /// <summary>Looks again for a plane and an identity; harmless at any time.</summary>
    public async Task<Answer> AttachAsync(Call call)
    {
        if (Forbidden(call) is { } forbidden) return forbidden;
        await parts.Plane.AttachAsync();
        return await ReadAsync(call);
    }

    public Task<Answer> FlushAsync(Call call) => AskAsync(call, new OutboxEvent.FlushRequested());

    public Task<Answer> RetryAsync(Call call) => OfLetterAsync(call, position => new OutboxEvent.DeadLetterRetried(position));

    public Task<Answer> DropAsync(Call call) => OfLetterAsync(call, position => new OutboxEvent.DeadLetterDropped(position));

    private Task<Answer> OfLetterAsync(Call call, Func<long, OutboxEvent> ask) =>
        long.TryParse(call.Value("position"), NumberStyles.None, CultureInfo.InvariantCulture, out var position)
            ? AskAsync(call, ask(position))
            : Task.FromResult(Answer.Invalid("position", "a whole number"));

    private async Task<Answer> AskAsync(Call call, OutboxEvent asked)
    {
        if (Forbidden(call) is { } forbidden) return forbidden;
        var decision = await parts.Host.AskAsync(new HostEvent.Outbox(asked), call.Stop);
        return decision.Refusal is { } refusal ? Answer.Refuse(refusal) : await ReadAsync(call);
    }

    private static Answer? Forbidden(Call call) => call.Principal.IsRoot
        ? null
        : Answer.Refuse(ErrorNames.NotAllowed, "only root may, it is about the whole host");

    private static OutboxInfo Of(OutboxState state)
    {
        var (name, failure, retryAt, attempts) = state switch
        {
            OutboxState.Off => ("off", null, null, 0),
            OutboxState.Idle => ("idle", null, null, 0),
            OutboxState.Sending sending => ("sending", null, null, sending.Attempt),
            OutboxState.Waiting waiting => ("waiting", waiting.Failure, waiting.RetryAt.ToString(), waiting.Attempts),
        };
        var queue = state.Queue;
        return new(
            name, queue.Items.Count, queue.Items.Transitions, queue.Stale.Count, queue.Shed, attempts, failure, retryAt,
            [
                .. queue.Dead.Select(letter => new DeadLetterInfo(
                    letter.Item.Position, letter.Item.Rollout.Value, letter.Item.Seq, letter.Item.Event.GetType().Name,
                    letter.Code, letter.Detail, letter.At.ToString())),
            ],
            queue.DeadForgotten);
    }
}
