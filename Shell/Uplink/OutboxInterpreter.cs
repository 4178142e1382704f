using System;
using System.Buffers;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Plane;
using Agent.Shell.Journal.Codec;
using Agent.Shell.Loop;
using Agent.Shell.Observability;
using LanguageExt;

namespace Agent.Shell.Uplink;

/// <summary>Sends what the outbox owes, one post at a time as the core orders them, and tells the core what came of it.</summary>
internal sealed class OutboxInterpreter(IHost host, PlaneLink link) : IAsyncDisposable
{
    private const string Errand = "telling what happened";

    private readonly CancellationTokenSource _closing = new();
    private readonly Lock _gate = new();
    private Task _last = Task.CompletedTask;

    public void Run(OutboxEffect effect)
    {
        lock (_gate)
        {
            _last = effect switch
            {
                OutboxEffect.Post post => Task.Run(() => PostAsync(post)),
                OutboxEffect.Warn(var what) => Warn(what),
                OutboxEffect.Reject => _last,
            };
        }
    }

    /// <summary>Gives up what is under way: it is sent again when the agent starts, and the plane knows what it has seen.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested) return;
        await _closing.CancelAsync();
        Task rest;
        lock (_gate) rest = _last;
        await rest;
        _closing.Dispose();
    }

    private Task Warn(string what)
    {
        Log.Warn("the outbox gave something up", ("what", what));
        return _last;
    }

    [SuppressMessage("Design", "CA1031", Justification = "whatever it was, the core hears that the post failed")]
    private async Task PostAsync(OutboxEffect.Post post)
    {
        OutboxEvent outcome;
        try
        {
            outcome = await SendAsync(post);
            link.Well(Errand);
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            return;
        }
        catch (PlaneFailure failure)
        {
            if (link.Failed(Errand, failure.Message)) Log.Warn("the plane", ("at", Errand), ("failure", failure.Message));
            outcome = Failed(post, failure.Kind, failure.RetryAfter, failure.Message);
        }
        catch (Exception failure)
        {
            if (link.Failed(Errand, failure.Message)) Log.Fail("a post to the plane failed", ("error", failure));
            outcome = Failed(post, FailureKind.Unavailable, null, failure.Message);
        }

        try
        {
            await host.AskAsync(new HostEvent.Outbox(outcome), _closing.Token);
        }
        catch (Exception failure) when (failure is OperationCanceledException or System.Threading.Channels.ChannelClosedException)
        {
            // The agent ends; its next start sends again.
        }
    }

    private async Task<OutboxEvent> SendAsync(OutboxEffect.Post post)
    {
        var tellings = TellingsOf(post, out var wholes);
        if (tellings.Count == 0) return new OutboxEvent.Delivered(post.Number, default, default);
        var answer = await link.Client.PostAsync(
            Protocol.Events, Tellings.Write(tellings), PlaneAnswers.Default.EventsAnswer, _closing.Token);
        link.Heard();
        if (answer.Verdicts.Count != tellings.Count)
        {
            throw NoAnswer($"{answer.Verdicts.Count} verdicts on {tellings.Count} things told");
        }

        var verdicts = new List<ItemVerdict>();
        var replays = new List<ReplayRequest>();
        for (var i = 0; i < tellings.Count; i++)
        {
            var verdict = answer.Verdicts[i] ?? throw NoAnswer("a verdict is null");
            var position = i < wholes ? 0 : post.Items[i - wholes].Position;
            switch (verdict)
            {
                case { Status: 416, Replay: { } replay } when RolloutId.Parse(replay.Rollout).TryGet(out var id):
                    if (IsKept(id)) replays.Add(new(id, replay.From));

                    // Both sides have let it go: there is nothing that could be told before it.
                    else if (i >= wholes) verdicts.Add(new ItemVerdict.Accepted(position));
                    break;
                case { Status: 409 } when i < wholes:
                    Log.Warn("the plane refuses a rollout", ("code", verdict.Code), ("detail", verdict.Detail));
                    break;
                case { Status: 409 }:
                    verdicts.Add(new ItemVerdict.Refused(
                        position, BoundedText.Reason(verdict.Code ?? "refused"), BoundedText.Reason(verdict.Detail ?? "")));
                    break;
                case { Status: 200 or 208 }:
                    if (i >= wholes) verdicts.Add(new ItemVerdict.Accepted(position));
                    break;
                default:
                    // Taking it for a yes would lose what was told.
                    throw NoAnswer($"{verdict.Status} is no verdict");
            }
        }

        return new OutboxEvent.Delivered(post.Number, verdicts.ToArray().ToSeq(), replays.ToArray().ToSeq());
    }

    private bool IsKept(RolloutId id) => host.Current.State.Rollouts.Find(id).IsSome;

    /// <summary>The rollouts that are owed as a whole, as they stand by now, then the items.</summary>
    private List<Telling> TellingsOf(OutboxEffect.Post post, out int wholes)
    {
        var tellings = new List<Telling>();
        foreach (var id in post.Snapshots)
        {
            if (host.Current.State.Rollouts.Find(id).TryGet(out var state)) tellings.Add(new Telling.Stands(state));
        }

        wholes = tellings.Count;
        foreach (var item in post.Items) tellings.Add(new Telling.Happened(item.Rollout, item.Seq, item.At, item.Event));
        return tellings;
    }

    private static PlaneFailure NoAnswer(string why) => new(
        FailureKind.Unavailable, "plane-answer", $"that is no answer of a plane: {why}");

    private static OutboxEvent.DeliveryFailed Failed(
        OutboxEffect.Post post, FailureKind kind, TimeSpan? retryAfter, string detail) => new(
        post.Number, kind, retryAfter is { } wait ? Option<TimeSpan>.Some(wait) : Option<TimeSpan>.None,
        BoundedText.Reason(detail), RandomNumberGenerator.GetInt32(1001));
}
