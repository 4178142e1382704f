using System;
using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Core.Time;
using Agent.Shell.Probes;
using Agent.Tests.Containers;
using LanguageExt;
using Xunit;
using ContainerSet = Agent.Core.Container.Containers;

namespace Agent.Tests.Probes;

/// <summary>What a declared container's state says of a rollout's probe.</summary>
public sealed class DeclaredContainerProbeTests
{
    private static readonly Instant Now = new(1_000_000);

    /// RO-12: only a declared name is judged here; any other is the engine's to tell.
    [Fact]
    public void Another_name_is_no_business_of_it()
    {
        Assert.Null(DeclaredContainerProbe.Look(With(Runs("v1")), "other", Now));
        var undeclared = Runs("v1") with { Spec = Option<ContainerSpec>.None };
        Assert.Null(DeclaredContainerProbe.Look(With(undeclared), "web", Now));
    }

    /// RO-12, RO-7: it passes while it runs as declared and is not unhealthy; before that there is no verdict, unless
    /// something failed.
    [Fact]
    public void It_passes_only_where_what_is_declared_runs()
    {
        Assert.IsType<ProbeOutcome.Passed>(Look(Runs("v1")));
        Assert.IsType<ProbeOutcome.Passed>(Look(Runs("v1", ContainerHealth.Healthy)));
        Assert.IsType<ProbeOutcome.Inconclusive>(Look(Runs("v1", ContainerHealth.Starting)));
        Assert.IsType<ProbeOutcome.Failed>(Look(Runs("v1", ContainerHealth.Unhealthy)));
        Assert.IsType<ProbeOutcome.Inconclusive>(Look(Runs("old")));
        Assert.IsType<ProbeOutcome.Inconclusive>(Look(Runs("v1") with { Seen = new Sighting.Unseen() }));
        Assert.IsType<ProbeOutcome.Failed>(Look(Seen("v1", new ContainerStatus.Paused(), ContainerHealth.None)));
        var stopped = Runs("v1") with { Wish = ContainerWish.Stopped, Seen = new Sighting.Absent() };
        Assert.IsType<ProbeOutcome.Failed>(Look(stopped));
    }

    /// RO-5, RO-12: that it was started proves nothing; a list that began after that does.
    [Fact]
    public void A_start_is_no_proof()
    {
        Assert.IsType<ProbeOutcome.Inconclusive>(Look(Runs("v1") with { FromPass = 2 }));
        Assert.IsType<ProbeOutcome.Passed>(Look(Runs("v1") with { FromPass = 1 }));
    }

    /// RO-6, RO-12: a failure is told in the engine's words; so is an end that nobody asked for, until it runs again.
    [Fact]
    public void What_failed_is_told()
    {
        var failed = Runs("old") with
        {
            History = ContainerHistory.Empty with
            {
                Failures = 1,
                LastFailure = new ContainerFailure(ContainerCall.Pull, Now, "no such image"),
            },
            RetryAt = Now + TimeSpan.FromSeconds(1),
        };
        Assert.Equal("pull failed: no such image", Assert.IsType<ProbeOutcome.Failed>(Look(failed)).Detail);
        var ended = Seen("v1", new ContainerStatus.Exited(3, OutOfMemory: false), ContainerHealth.None) with
        {
            End = new ContainerEnd("v1", 3, OutOfMemory: false),
            RetryAt = Now + TimeSpan.FromSeconds(1),
        };
        Assert.Equal("it ended with 3", Assert.IsType<ProbeOutcome.Failed>(Look(ended)).Detail);
    }

    private static ProbeOutcome Look(ContainerProfile profile) =>
        DeclaredContainerProbe.Look(With(profile), "web", Now)!.Outcome;

    private static ContainerSet With(ContainerProfile profile) => ContainerSet.Empty with
    {
        All = ContainerSet.Empty.All.Add(profile.Uid, new ContainerState.Idle(profile)),
        Last = new PassOutcome(1, Now, 1, Option<string>.None),
    };

    private static ContainerProfile Runs(string digest, ContainerHealth health = ContainerHealth.None) =>
        Seen(digest, new ContainerStatus.Running(PidAlive: true), health);

    private static ContainerProfile Seen(string digest, ContainerStatus status, ContainerHealth health) =>
        ContainerProfile.New(Rig.Uid("web")) with
        {
            Spec = new ContainerSpec(
                Rig.Uid("web"), "image", PullPolicy.Missing, ContainerRestart.Always, Seq<ContainerDependency>.Empty,
                HasHealthcheck: false, ContainerSpec.DefaultStopGrace, "v1"),
            Wish = ContainerWish.Installed,
            Seen = new Sighting.Present(new(Rig.Uid("web"), "e", digest, status, health)),
            Made = digest,
        };
}
