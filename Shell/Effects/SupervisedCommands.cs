using System;
using System.Collections.Generic;
using System.Security.Cryptography;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Api;
using Agent.Shell.Loop;
using LanguageExt;

namespace Agent.Shell.Effects;

/// <summary>
/// Runs a command to its end as a supervised process: it outlives the agent, its exit is durable and its output is
/// bounded. One name is run once: whoever asks again, after the agent's death too, gets the end of the first.
/// </summary>
internal sealed class SupervisedCommands(IHost host, ISpawnSecrets secrets, IProcessOutput output) : ICommands
{
    /// <summary>The last words of a command that failed; its whole output is in no one's interest for long.</summary>
    private const int RingBytes = 64 << 10;

    private const int Base32Length = 26;

    private readonly LastWords _words = new(output);

    public async Task<CommandEnd> RunAsync(CommandRequest request, CancellationToken stop)
    {
        var id = IdOf(request.Name);
        if (host.Current.State.Processes.Find(id).IsNone)
        {
            stop.ThrowIfCancellationRequested();
            var spawn = await SpawnAsync(id, request).WaitAsync(stop);
            if (spawn.Refusal is { } refusal) return new(new ExitStatus.NeverRan("refused", refusal.Reason), "");
        }

        var published = await host.WhenAsync(now => IsOver(now.State, id), stop);
        if (!published.State.Processes.Find(id).TryGet(out var state) || state is not ProcessState.Exited exited)
        {
            return new(new ExitStatus.Lost(), "it was forgotten before its end was seen");
        }

        var last = await _words.OfAsync(id, stop);
        return new(exited.Exit.Status, Tail(exited.Exit, last)) { AtLimit = exited.Exit.Reason == ExitReason.Lifetime };
    }

    /// <summary>
    /// Asks to the end, whoever still waits: only the answer tells whether there is a process that needs the secrets. A
    /// refusal because of an equal command leaves them, they are the same.
    /// </summary>
    private async Task<Decision<HostState, HostEffect>> SpawnAsync(ProcessId id, CommandRequest request)
    {
        secrets.Put(id, request.Environment, ReadOnlyMemory<byte>.Empty);
        var decision = await host.AskAsync(new HostEvent.SpawnRequested(id, Spec(request)), CancellationToken.None);
        if (decision.Refusal is not null && host.Current.State.Processes.Find(id).IsNone) secrets.Remove(id);
        return decision;
    }

    public bool HasBegun(string name) =>
        host.Current.State.Processes.Find(IdOf(name)).TryGet(out var state)
        && state is not (ProcessState.Waiting or ProcessState.Starting);

    /// <summary>A name's own id, the same in every run: 130 bits of its digest.</summary>
    private static ProcessId IdOf(string name)
    {
        const string Letters = "abcdefghijklmnopqrstuvwxyz234567";
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(name));
        var text = string.Create(Base32Length, digest, (span, bytes) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = Letters[bytes[i] & 31];
        });
        return ProcessId.Parse(text).IfNoneUnsafe(() => null!)!;
    }

    private static bool IsOver(HostState state, ProcessId id) =>
        !state.Processes.Find(id).TryGet(out var process) || process is ProcessState.Exited or ProcessState.Reaped;

    private static ProcessSpec Spec(CommandRequest request) => new(
        ProcessKind.Activation,
        Principal.Root,
        request.Label,
        request.Command.ToSeq(),
        Option<string>.Some(request.WorkingDirectory),
        Option<string>.None,
        EnvironmentDigest: "",
        StdinMode.None,
        Overflow.DropOldest,
        RingBytes,
        MaxLifetime: request.Limit,
        IdleTimeout: Option<TimeSpan>.None,
        request.Retention,
        Signal.Term,
        request.Grace,
        RestartPolicy.Never,
        After: LanguageExt.Seq<string>.Empty);

    private static string Tail(ProcessExit exit, LastOutput last)
    {
        var lines = new List<string>();
        if (exit.Reason == ExitReason.Lifetime) lines.Add("it was stopped at its time limit");
        lines.AddRange(last.Stderr is { Count: > 0 } ? last.Stderr : last.Stdout);
        return string.Join('\n', lines);
    }
}

/// <summary>Runs commands of which each name is run once.</summary>
internal interface ICommands
{
    /// <summary>Ends with the command; it goes on when <paramref name="stop"/> ends the wait.</summary>
    Task<CommandEnd> RunAsync(CommandRequest request, CancellationToken stop);

    /// <summary>Whether the command of that name was spawned, or found impossible to spawn.</summary>
    bool HasBegun(string name);
}

/// <summary>
/// A command. After <paramref name="Limit"/> it is stopped and then killed with all its descendants; its exit is
/// remembered for <paramref name="Retention"/>.
/// </summary>
internal sealed record CommandRequest(
    string Name,
    string Label,
    IReadOnlyList<string> Command,
    string WorkingDirectory,
    IReadOnlyDictionary<string, string> Environment,
    TimeSpan Limit,
    TimeSpan Retention)
{
    /// <summary>From the stop to the kill.</summary>
    public TimeSpan Grace { get; init; } = ProcessSpec.DefaultGrace;
}

/// <summary>How a command ended and its last lines: those of stderr, or of stdout where stderr is empty.</summary>
internal sealed record CommandEnd(ExitStatus Status, string Tail)
{
    /// <summary>It had not ended by itself when its time was over.</summary>
    public bool AtLimit { get; init; }

    public string Describe() => Tail.Length > 0 ? $"{Status.Describe()}: {Tail}" : Status.Describe();
}
