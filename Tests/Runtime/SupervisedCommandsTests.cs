using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Time;
using Agent.Shell.Effects;
using Agent.Shell.Loop;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Runtime;

/// <summary>What a command leaves behind that never became a process.</summary>
public sealed class SupervisedCommandsTests
{
    private static readonly CommandRequest Command = new(
        "a name", "a label", ["/bin/true"], "/", new Dictionary<string, string> { ["SECRET"] = "s" },
        TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));

    /// PR-16: secrets are kept for a process that there is, and for no other.
    [Fact]
    public async Task A_refused_spawn_leaves_no_secrets()
    {
        using var host = new Refusing();
        var secrets = new Kept();
        var end = await new SupervisedCommands(host, secrets, new MemoryOutput()).RunAsync(Command, CancellationToken.None);
        Assert.IsType<ExitStatus.NeverRan>(end.Status);
        Assert.Empty(secrets.Of);
    }

    /// PR-16: whoever gives up waits no more, and the secrets go when the answer comes.
    [Fact]
    public async Task A_wait_that_is_given_up_leaves_no_secrets()
    {
        using var host = new Refusing();
        host.Answers.Reset();
        var secrets = new Kept();
        var commands = new SupervisedCommands(host, secrets, new MemoryOutput());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => commands.RunAsync(Command, new CancellationToken(true)));
        Assert.Empty(secrets.Of);

        using var given = new CancellationTokenSource();
        var waiting = commands.RunAsync(Command, given.Token);
        Assert.Single(secrets.Of);
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        host.Answers.Set();
        await secrets.Gone.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Empty(secrets.Of);
    }

    private sealed class Kept : ISpawnSecrets
    {
        public System.Collections.Generic.HashSet<ProcessId> Of { get; } = [];

        public TaskCompletionSource Gone { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Put(ProcessId id, IReadOnlyDictionary<string, string> environment, ReadOnlyMemory<byte> prelude) =>
            Of.Add(id);

        public void Remove(ProcessId id)
        {
            Of.Remove(id);
            Gone.TrySetResult();
        }
    }

    /// <summary>A host that takes no process, and answers when it is let.</summary>
    private sealed class Refusing : IHost, IDisposable
    {
        public ManualResetEventSlim Answers { get; } = new(true);

        public Published<HostState> Current { get; } = new(0, default, HostState.Initial);

        public Instant Now => default;

        public ValueTask PostAsync(HostEvent @event, CancellationToken stop) => ValueTask.CompletedTask;

        public Task<Decision<HostState, HostEffect>> AskAsync(HostEvent @event, CancellationToken stop) => Task.Run(
            () =>
            {
                Answers.Wait(stop);
                return new Decision<HostState, HostEffect>(
                    Current, Seq<HostEffect>.Empty, new(ErrorCode.InvalidInput, "no room"));
            },
            stop);

        public Task<Published<HostState>> WhenAsync(Func<Published<HostState>, bool> condition, CancellationToken stop) =>
            Task.FromException<Published<HostState>>(new InvalidOperationException("there is no process to wait for"));

        public void Dispose() => Answers.Dispose();
    }
}
