using System;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Shell.Effects;
using Agent.Shell.Loop;
using Agent.Shell.Probes;
using Agent.Shell.Trust;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;
using Refusal = Agent.Shell.Trust.Refusal;

namespace Agent.Tests.Probes;

/// <summary>The runner as the rollout's watch calls it, over a loop of its own.</summary>
internal sealed class Probing(ICommands? commands = null, IEvidenceReader? evidence = null) : IDisposable
{
    private ProbeRunner? _runner;

    /// <summary>For what must end by itself; only a failing test waits so long.</summary>
    public static TimeSpan Patience => TimeSpan.FromSeconds(30);

    public static RolloutId Rollout { get; } =
        RolloutId.Parse("web@0123456789abcdef").IfNone(() => throw new InvalidOperationException("an id"));

    private static ReleaseId Release { get; } = ReleaseId.Parse(ReleaseId.ArchivePrefix + new string('a', 64))
        .IfNone(() => throw new InvalidOperationException("a release"));

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

    /// <summary>What a turn of the watch tells.</summary>
    public async Task<ProbeResult> RunAsync(ProbeSpec probe, CancellationToken stop = default) =>
        await TurnAsync(probe, stop) ?? throw new InvalidOperationException("it told nothing");

    /// <summary>The same, where it may tell nothing; all turns are of one runner.</summary>
    public Task<ProbeResult?> TurnAsync(ProbeSpec probe, CancellationToken stop = default)
    {
        if (_runner is not null) return _runner.RunAsync(Rollout, probe, stop);
        var reader = evidence ?? new SignedEvidence(
            () => new Refusal(TrustFault.NoTrust, "nobody is trusted"), () => "here", new WallClock(() => Host.Now));
        _runner = new ProbeRunner(Host, commands ?? new NoCommands(), reader, new WallClock(() => Host.Now, Wall));
        return _runner.RunAsync(Rollout, probe, stop);
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

    /// <summary>Lets the rollout soak, and answers since when.</summary>
    public async Task<Instant> SoakAsync()
    {
        var policy = new RolloutPolicy(
            TimeSpan.FromHours(1), TimeSpan.FromMinutes(2), OnFailure.Halt, OnFailure.Halt, TimeSpan.FromHours(1),
            TimeSpan.FromMinutes(1), Unattended: false);
        var order = new RolloutOrder(Rollout, 1, ActivatorKind.Release, Release, policy, Seq<ProbeSpec>.Empty);
        HostEvent[] events =
        [
            new HostEvent.RolloutOrdered(Principal.Root, order),
            new HostEvent.RolloutReported(Rollout, new RolloutEvent.ActivationStarted(1, Option<ReleaseId>.None, "release")),
            new HostEvent.RolloutReported(Rollout, new RolloutEvent.ActivationCompleted(1, Release)),
        ];
        foreach (var one in events) await Host.AskAsync(one, CancellationToken.None);
        return Host.Current.State.Rollouts.All.Values.OfType<RolloutState.Soaking>().Single().Since;
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
