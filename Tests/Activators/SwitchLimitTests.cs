using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Shell.Activators;
using Agent.Shell.Effects;
using Agent.Tests.Probes;
using Agent.Tests.Support;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Activators;

/// <summary>What becomes of a switch that takes too long, and of one that an earlier agent left running.</summary>
public sealed class SwitchLimitTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// CO-6, RO-3, RO-11: when a switch is told to have timed out, its command has ended: the way back runs beside nothing.
    [Fact]
    public async Task A_switch_that_takes_too_long_has_ended_when_that_is_told()
    {
        await using var kept = await KeptHost.StartAsync();
        var order = Order();
        await using var interpreter = Interpreter(kept, new Slow(kept.Commands, "exec sleep 600"));
        var live = new List<bool>();
        kept.Host.Advanced += published =>
        {
            lock (kept.Host.Events)
            {
                if (Ends(kept).Any()) live.Add(Live(published.State));
            }
        };
        interpreter.Run(new RolloutEffect.FireSwitch(order, 1, Option<ReleaseId>.None));
        await EndedAsync(kept);
        Assert.False(live[0], "it was told while the command ran");
        Assert.Equal("timed-out", Assert.IsType<RolloutEvent.ActivationFailed>(Ends(kept).Single()).Code);
    }

    /// RO-3, CO-5: a command that an agent before this one began is waited for, whoever comes first now.
    [Fact]
    public async Task Nothing_is_switched_beside_a_live_command()
    {
        await using var kept = await KeptHost.StartAsync();
        var earlier = Slow.RunAsync(kept.Commands, "earlier/1/activate", "exec sleep 600", CancellationToken.None);
        await kept.Host.WhenAsync(Live, Patience);
        var back = new Slow(kept.Commands, "exit 0");
        await using var interpreter = Interpreter(kept, back);
        interpreter.Run(new RolloutEffect.FireRollback(Order(), 2, Order().Target));
        await kept.Host.WhenAsync(state => state.Processes.All.Values.Any(one => one is ProcessState.Running), Patience);
        Assert.False(back.WasAsked.IsCompleted, "it did not wait");
        var id = kept.Host.Current.State.Processes.All.Keys.Single();
        await kept.Host.AskAsync(
            new HostEvent.ProcessRequested(id, Principal.Root, new ProcessEvent.StopRequested(Option<TimeSpan>.None)),
            CancellationToken.None);
        await earlier;
        await back.WasAsked.WaitAsync(Patience);
    }

    private static RolloutInterpreter Interpreter(KeptHost kept, IActivator activator) => new(
        kept.Host, new Dictionary<ActivatorKind, IActivator> { [ActivatorKind.Release] = activator }, new("boot"),
        margin: TimeSpan.FromSeconds(2));

    private static RolloutOrder Order()
    {
        var order = new Samples(1).Any<RolloutOrder>();
        return order with
        {
            Activator = ActivatorKind.Release,
            Policy = order.Policy with { SwitchTimeout = TimeSpan.FromSeconds(1) },
        };
    }

    private static bool Live(HostState state) => state.Processes.All.Values.Any(one => one is ProcessState.Running);

    private static IEnumerable<RolloutEvent> Ends(KeptHost kept) => kept.Host.Events.OfType<HostEvent.RolloutReported>()
        .Select(told => told.Event).Where(told => told is not RolloutEvent.ActivationStarted);

    private static async Task EndedAsync(KeptHost kept) => await kept.Host.WhenAsync(
        _ =>
        {
            lock (kept.Host.Events) return Ends(kept).Any();
        },
        Patience);

    /// <summary>An activator whose switch is one script, with a limit that the host's is shorter than.</summary>
    private sealed class Slow(ICommands commands, string script) : IActivator
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task WasAsked => _asked.Task;

        public string Method => "slow";

        public static Task<CommandEnd> RunAsync(ICommands commands, string name, string script, CancellationToken stop) =>
            commands.RunAsync(
                new(
                    name, "stable-activate", ["/bin/sh", "-c", script], "/",
                    new Dictionary<string, string>(StringComparer.Ordinal), TimeSpan.FromHours(1), TimeSpan.FromMinutes(1)),
                stop);

        public Task<ReleaseId?> RunningAsync(ChannelName channel, CancellationToken stop) => Task.FromResult<ReleaseId?>(null);

        public Task PrepareAsync(SwitchRequest request, CancellationToken stop)
        {
            _asked.TrySetResult();
            return Task.CompletedTask;
        }

        public async Task<SwitchResult> SwitchAsync(SwitchRequest request, CancellationToken stop)
        {
            await RunAsync(commands, $"{request.Rollout}/{request.Activation}/slow", script, stop);
            return new SwitchResult.Done();
        }

        public Task EndAsync(SwitchRequest request, CancellationToken stop) => Task.CompletedTask;
    }
}
