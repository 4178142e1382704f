using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Shell.Activators;
using Agent.Shell.Loop;
using Agent.Shell.Observability;
using LanguageExt;
using Event = Agent.Core.Rollout.RolloutEvent;

namespace Agent.Shell.Effects;

/// <summary>
/// Interprets the rollouts' effects in the background, one at a time. Whatever becomes of a switch is told as an event
/// of its own activation; the core decides what follows.
/// </summary>
internal sealed class RolloutInterpreter(
    IHost host, IReadOnlyDictionary<ActivatorKind, IActivator> activators, BootId boot, TimeSpan? margin = null)
    : IAsyncDisposable
{
    /// <summary>
    /// Over the switch's own limit: its command is ended at that, has its grace, and its end must still be seen.
    /// </summary>
    private static readonly TimeSpan Margin = ProcessSpec.MaxGrace + TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly LiveSwitches _live = new(host);
    private readonly CancellationTokenSource _closing = new();
    private Task _last = Task.CompletedTask;

    /// <summary>Begins the effect and returns at once.</summary>
    public void Run(RolloutEffect effect)
    {
        lock (_gate)
        {
            if (_closing.IsCancellationRequested) return;
            _last = effect switch
            {
                RolloutEffect.FireSwitch e => Then(e.Order, () => SwitchAsync(e), (code, detail) =>
                    new Event.ActivationFailed(e.Activation, code, detail)),
                RolloutEffect.FireRollback e => Then(e.Order, () => GoBackAsync(e), (code, detail) =>
                    new Event.RollbackFailed(e.Activation, code, detail)),
                RolloutEffect.CheckRunning e => Then(e.Order, () => CheckAsync(e), (code, detail) =>
                    new Event.ActivationFailed(e.Activation, code, detail)),

                // The record of the journal is the report; who asked was answered by the loop.
                RolloutEffect.Report or RolloutEffect.Reject => _last,
            };
        }
    }

    /// <summary>Gives up the wait for what is under way; it is taken up again when the agent starts.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested) return;
        await _closing.CancelAsync();
        Task rest;
        lock (_gate) rest = _last;
        await rest;
        _closing.Dispose();
    }

    private async Task SwitchAsync(RolloutEffect.FireSwitch e)
    {
        await _live.QuietAsync(_closing.Token);
        var activator = ActivatorOf(e.Order);
        var previous = e.Previous.TryGet(out var known) ? known : null;
        var running = await activator.RunningAsync(e.Order.Channel, _closing.Token);
        var way = running is null || running == e.Order.Target ? previous : running;
        var request = new SwitchRequest(
            e.Order.Id, e.Activation, e.Order.Target, way, e.Order.Policy.SwitchTimeout, IsRollback: false);
        await PrepareAsync(activator, request);

        // Durable before the host is touched: from here on whoever takes over knows the way back.
        await TellAsync(e.Order, new Event.ActivationStarted(e.Activation, Optional(running), activator.Method));
        var result = await WithinAsync(activator, request, stop => activator.SwitchAsync(request, stop));
        await TellAsync(e.Order, result switch
        {
            SwitchResult.Done => new Event.ActivationCompleted(
                e.Activation, Optional(await activator.RunningAsync(e.Order.Channel, _closing.Token))),
            SwitchResult.Deferred(var component) => new Event.ActivationDeferred(e.Activation, component, boot),
        });
    }

    private async Task GoBackAsync(RolloutEffect.FireRollback e)
    {
        await _live.QuietAsync(_closing.Token);
        var activator = ActivatorOf(e.Order);
        var request = new SwitchRequest(
            e.Order.Id, e.Activation, e.To, e.Order.Target, e.Order.Policy.SwitchTimeout, IsRollback: true);
        await PrepareAsync(activator, request);
        var result = await WithinAsync(activator, request, stop => activator.SwitchAsync(request, stop));
        await TellAsync(e.Order, result switch
        {
            SwitchResult.Done => new Event.RollbackCompleted(
                e.Activation, Optional(await activator.RunningAsync(e.Order.Channel, _closing.Token))),
            SwitchResult.Deferred(var component) => new Event.RollbackFailed(
                e.Activation, "needs-reboot", $"{component} goes back only with a reboot; reboot this host"),
        });
    }

    private async Task CheckAsync(RolloutEffect.CheckRunning e)
    {
        var running = await ActivatorOf(e.Order).RunningAsync(e.Order.Channel, _closing.Token);
        await TellAsync(e.Order, new Event.ActivationCompleted(e.Activation, Optional(running)));
    }

    private Task Then(RolloutOrder order, Func<Task> work, Func<string, string, Event> failed)
    {
        var before = _last;
        return Task.Run(() => AfterAsync(before, order, work, failed));
    }

    [SuppressMessage("Design", "CA1031", Justification = "whatever it was, it is the switch's failure and told as such")]
    private async Task AfterAsync(Task before, RolloutOrder order, Func<Task> work, Func<string, string, Event> failed)
    {
        await before;
        try
        {
            await ToldAsync(order, work, failed);
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            // The agent ends; what is owed is issued again when it starts.
        }
        catch (Exception error)
        {
            Log.Fail("the end of a switch could not be told", ("rollout", order.Id), ("error", error));
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "whatever it was, it is the switch's failure and told as such")]
    private async Task ToldAsync(RolloutOrder order, Func<Task> work, Func<string, string, Event> failed)
    {
        try
        {
            await work();
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException)
        {
            await TellAsync(order, failed("timed-out", $"it was not over within {order.Policy.SwitchTimeout}"));
        }
        catch (ActivationException failure)
        {
            await TellAsync(order, failed(failure.Code, BoundedText.Reason(failure.Message)));
        }
        catch (Exception error)
        {
            Log.Fail("a switch failed", ("rollout", order.Id), ("error", error));
            await TellAsync(order, failed("failed", BoundedText.Reason(error.Message)));
        }
    }

    private async Task TellAsync(RolloutOrder order, Event @event) =>
        await host.AskAsync(new HostEvent.RolloutReported(order.Id, @event), _closing.Token);

    private IActivator ActivatorOf(RolloutOrder order) => activators.TryGetValue(order.Activator, out var activator)
        ? activator
        : throw new ActivationException("no-activator", $"this host cannot switch {order.Activator} releases");

    /// <summary>What it takes to bring a release here is not taken from the time of the switch.</summary>
    private async Task PrepareAsync(IActivator activator, SwitchRequest request) => await WithinAsync(
        activator,
        request,
        async stop =>
        {
            await activator.PrepareAsync(request, stop);
            return true;
        });

    /// <summary>
    /// One part of a switch, within a limit of its own. The limit ends the wait only: a command is ended too, and is
    /// seen to have ended, before anybody is told, or the way back would begin beside it.
    /// </summary>
    private async Task<T> WithinAsync<T>(IActivator activator, SwitchRequest request, Func<CancellationToken, Task<T>> part)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token);
        limit.CancelAfter(request.Timeout + (margin ?? Margin));
        try
        {
            return await part(limit.Token);
        }
        catch (Exception failure) when (failure is ActivationException or OperationCanceledException)
        {
            if (_closing.IsCancellationRequested) throw;
            await activator.EndAsync(request, _closing.Token);
            await _live.EndAsync(_closing.Token);
            throw;
        }
    }

    private static Option<ReleaseId> Optional(ReleaseId? release) =>
        release is null ? Option<ReleaseId>.None : Option<ReleaseId>.Some(release);
}
