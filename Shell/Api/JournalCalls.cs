using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;

namespace Agent.Shell.Api;

/// <summary>The journal for people and programs: its records, and those that explain one thing.</summary>
[SuppressMessage("Design", "CA1001", Justification = "nothing waits on the handle, so there is none")]
internal sealed class JournalCalls(ApiParts parts)
{
    // The life of a thing that restarts is long; its newest events are those that explain it.
    private const int MostExplaining = 200;

    // Fewer system calls for a reader of old records; a follower is flushed whenever there is no more to send.
    private const int BufferBytes = 64 << 10;

    private readonly SemaphoreSlim _turn = new(1);

    public Task<Answer> EventsAsync(Call call)
    {
        if (!call.Principal.IsRoot) return Refuse("only root may read the journal, it speaks of everybody's processes");
        if (!call.TryNumber("since", 0, long.MaxValue, out var since))
        {
            return Task.FromResult(Answer.Invalid("since", "since must be a whole number from 0"));
        }

        if (!call.TryFlag("follow", out var follow))
        {
            return Task.FromResult(Answer.Invalid("follow", "follow must be true or false"));
        }

        return Task.FromResult(Answer.Lines((body, stop) => SendAsync(since ?? 0, follow, body, stop)));
    }

    public Task<Answer> ExplainAsync(Call call)
    {
        var id = call.Value("id");
        if (call.Value("kind") == "runtime")
        {
            return call.Principal.IsRoot
                ? AnsweredAsync(Explanation.OfRuntime(), call.Stop)
                : Refuse("only root may have the runtime explained");
        }

        if (call.Value("kind") == "rollout")
        {
            return !call.Principal.IsRoot ? Refuse("only root may have a rollout explained")
                : RolloutId.Parse(id).IsSome ? AnsweredAsync(Explanation.OfRollout(id), call.Stop)
                : Task.FromResult(Answer.Refuse(ErrorNames.NoSuchRollout, $"no rollout {id}"));
        }

        if (call.Value("kind") == "container")
        {
            return !call.Principal.IsRoot ? Refuse("only root may have a container explained")
                : ContainerUid.Parse(id).IsSome ? AnsweredAsync(Explanation.OfContainer(id), call.Stop)
                : Task.FromResult(Answer.Refuse(ErrorNames.NoSuchContainer, $"no container {id}"));
        }

        if (call.Value("kind") == "companion")
        {
            return !call.Principal.IsRoot ? Refuse("only root may have a companion explained")
                : CompanionName.Parse(id).IsSome ? AnsweredAsync(Explanation.OfCompanion(id), call.Stop)
                : Task.FromResult(Answer.Refuse(ErrorNames.NoSuchCompanion, $"no companion {id}"));
        }

        if (call.Value("kind") != "process")
        {
            return Task.FromResult(Answer.Refuse(
                ErrorNames.NotFound, "a runtime, a process, a container, a companion or a rollout can be explained"));
        }

        // Root may ask for one that is gone from the registry: the journal still knows it.
        var known = call.Principal.IsRoot ? ProcessId.Parse(id).IsSome : call.Find(parts.Host) is not null;
        return known ? InTurnAsync(Explanation.OfProcess(id), call) : Task.FromResult(call.NoSuchProcess());
    }

    private async Task SendAsync(long since, bool follow, Stream body, CancellationToken stop)
    {
        // Closing the buffer closes only the way into the answer, which ends here anyway.
        await using var buffer = new BufferedStream(body, BufferBytes);
        var records = parts.Journal.ReadAsync(since, follow, stop).GetAsyncEnumerator(stop);
        try
        {
            while (true)
            {
                var next = records.MoveNextAsync();
                if (!next.IsCompleted) await buffer.FlushAsync(stop);
                if (!await next) break;
                await buffer.WriteAsync(records.Current, stop);
                await buffer.WriteAsync(Newline, stop);
            }

            await buffer.FlushAsync(stop);
        }
        finally
        {
            await records.DisposeAsync();
        }
    }

    private static readonly ReadOnlyMemory<byte> Newline = "\n"u8.ToArray();

    /// <summary>The whole journal is read for it: users wait for one another, so that nobody else waits for them.</summary>
    private async Task<Answer> InTurnAsync(Explanation explanation, Call call)
    {
        if (call.Principal.IsRoot) return await AnsweredAsync(explanation, call.Stop);
        await _turn.WaitAsync(call.Stop);
        try
        {
            return await AnsweredAsync(explanation, call.Stop);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<Answer> AnsweredAsync(Explanation explanation, CancellationToken stop)
    {
        var newest = new Queue<byte[]>(MostExplaining);
        await foreach (var record in parts.Journal.ReadAsync(0, follow: false, stop))
        {
            if (explanation.Excerpt(record) is not { } excerpt) continue;
            if (newest.Count == MostExplaining) newest.Dequeue();
            newest.Enqueue(excerpt);
        }

        if (newest.Count == 0) return Answer.Refuse(ErrorNames.NotFound, "the kept journal does not speak of it");
        return Answer.Lines(async (body, stopped) =>
        {
            foreach (var excerpt in newest) await body.WriteAsync(excerpt, stopped);
        });
    }

    private static Task<Answer> Refuse(string why) => Task.FromResult(Answer.Refuse(ErrorNames.NotAllowed, why));
}
