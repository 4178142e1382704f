using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Core.Runtime;
using Agent.Shell.Effects;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Probes;

/// <summary>Probes that look at nothing but the published state.</summary>
public sealed class PublishedProbeTests : IDisposable
{
    private readonly Probing _probing = new();

    /// RO-12: a service passes while it runs; an unknown one fails.
    [Fact]
    public async Task A_service_passes_while_it_runs()
    {
        var check = new ProbeCheck.Process("web");
        Assert.Equal(new ProbeOutcome.Failed("no service is called web"), await _probing.RunAsync(check));
        var id = Ids.New();
        await AskAsync(new HostEvent.Started(new BootId("boot"), Seq<ObservedProcess>.Empty));
        await AskAsync(new HostEvent.Configured(
            _probing.Host.Current.State.Policy, Probing.SeqOf(new ServiceDeclaration(id, Service("web")))));
        Assert.Equal(new ProbeOutcome.Failed("web does not run"), await _probing.RunAsync(check));
        await AskAsync(new HostEvent.ProcessReported(
            id, new ProcessEvent.SpawnCompleted(1, new ProcessIdentity(42, 1, new BootId("boot")))));
        Assert.Equal(new ProbeOutcome.Passed("web runs"), await _probing.RunAsync(check));
    }

    /// RO-12: the runtime passes while it is ready.
    [Fact]
    public async Task The_runtime_passes_while_it_is_ready()
    {
        var check = new ProbeCheck.Runtime();
        Assert.Equal(new ProbeOutcome.Failed("the container runtime is not started"), await _probing.RunAsync(check));
        await _probing.Host.AskAsync(new RuntimeEvent.EnsureRequested());
        Assert.Equal(new ProbeOutcome.Failed("the container runtime is starting"), await _probing.RunAsync(check));
        await _probing.Host.AskAsync(
            new RuntimeEvent.StartCompleted(1, "unix:///engine", "", Seq<ServiceStatus>.Empty));
        Assert.Equal(new ProbeOutcome.Passed("unix:///engine"), await _probing.RunAsync(check));
    }

    public void Dispose() => _probing.Dispose();

    private Task AskAsync(HostEvent @event) => _probing.Host.AskAsync(@event, CancellationToken.None);

    private static ProcessSpec Service(string name) => new(
        ProcessKind.Service, Principal.Root, name, Probing.SeqOf("/run"), Option<string>.None, Option<string>.None,
        EnvironmentDigest: "", StdinMode.None, Overflow.DropOldest, ProcessSpec.DefaultRingBytes,
        Option<TimeSpan>.None, Option<TimeSpan>.None, ProcessSpec.DefaultRetention, Signal.Term,
        ProcessSpec.DefaultGrace, RestartPolicy.Always, Seq<string>.Empty);
}
