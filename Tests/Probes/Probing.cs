using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Shell.Effects;
using Agent.Shell.Loop;
using Agent.Shell.Probes;
using Agent.Shell.Trust;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Probes;

/// <summary>The runner as the rollout's watch calls it, over a loop of its own.</summary>
internal sealed class Probing(ICommands? commands = null, IEvidenceReader? evidence = null) : IDisposable
{
    /// <summary>For what must end by itself; only a failing test waits so long.</summary>
    public static TimeSpan Patience => TimeSpan.FromSeconds(30);

    public static RolloutId Rollout { get; } =
        RolloutId.Parse("web@0123456789abcdef").IfNone(() => throw new InvalidOperationException("an id"));

    public CoreHost Host { get; } = new((_, _) => { });

    /// <summary>The machine's clock, where it is not the real one.</summary>
    public TimeProvider? Wall { get; init; }

    /// <summary>LanguageExt's own takes a single string for its characters.</summary>
    public static Seq<T> SeqOf<T>(params T[] items) => items.ToSeq();

    public static ProbeSpec Spec(ProbeCheck check, TimeSpan timeout, ProbeMode mode = ProbeMode.Enforce) => new(
        ProbeName.Parse("probe").IfNone(() => throw new InvalidOperationException("a name")),
        mode,
        Interval: TimeSpan.FromSeconds(1),
        timeout,
        InitialDelay: TimeSpan.Zero,
        SuccessThreshold: 1,
        FailureThreshold: 1,
        check);

    public Task<ProbeResult> RunAsync(ProbeSpec probe, CancellationToken stop = default)
    {
        var reader = evidence ?? new SignedEvidence(
            () => new Refusal(TrustFault.NoTrust, "nobody is trusted"), () => "here", new WallClock(() => Host.Now));
        var runner = new ProbeRunner(Host, commands ?? new NoCommands(), reader, new WallClock(() => Host.Now, Wall));
        return runner.RunAsync(Rollout, probe, stop);
    }

    /// <summary>The outcome of a check that is not meant to meet its timeout.</summary>
    public async Task<ProbeOutcome> RunAsync(ProbeCheck check) => (await RunAsync(Spec(check, Patience))).Outcome;

    /// <summary>The outcome of one that hangs: it comes at its timeout, not before and not long after.</summary>
    public async Task<ProbeOutcome> RunToTimeoutAsync(ProbeCheck check)
    {
        var timeout = TimeSpan.FromSeconds(1);
        var clock = Stopwatch.StartNew();
        var result = await RunAsync(Spec(check, timeout));
        Assert.InRange(clock.Elapsed, timeout - TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(15));
        return result.Outcome;
    }

    public void Dispose() => Host.Dispose();
}

/// <summary>For what runs no commands.</summary>
internal sealed class NoCommands : ICommands
{
    public Task<CommandEnd> RunAsync(CommandRequest request, CancellationToken stop) =>
        throw new InvalidOperationException("no command is run here");

    public bool HasBegun(string name) => false;
}
