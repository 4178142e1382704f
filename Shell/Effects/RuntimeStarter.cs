using System;
using System.Diagnostics.CodeAnalysis;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Runtime;
using Agent.Shell.Docker;
using Agent.Shell.Loop;
using Agent.Shell.Observability;
using LanguageExt;

namespace Agent.Shell.Effects;

/// <summary>
/// Interprets the runtime's effects in the background, one at a time and in their order: a start that follows a stop
/// begins when the stop is done. A start never holds up what comes after it: an effect that supersedes it was decided
/// in a state in which its attempt is over, and it ends by itself when it sees that state.
/// </summary>
internal sealed class RuntimeStarter(
    IHost host, ISpawnSecrets secrets, Func<EngineLayout> layout) : IAsyncDisposable
{
    /// <summary>After the grace the process machine kills; the kernel needs a moment to show the end.</summary>
    private static readonly TimeSpan AfterGrace = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _closing = new();
    private Task _last = Task.CompletedTask;
    private int _attempt;

    /// <summary>Begins the effect and returns at once.</summary>
    public void Run(RuntimeEffect effect)
    {
        lock (_gate)
        {
            if (_closing.IsCancellationRequested) return;
            _last = effect switch
            {
                RuntimeEffect.StartRuntime(var number, _) when number == _attempt => _last,
                RuntimeEffect.StartRuntime asked => Begin(asked),
                RuntimeEffect.StopDaemons(var daemons) => Then(() => StopAsync(daemons)),
                RuntimeEffect.Reject => _last,
            };
        }
    }

    /// <summary>
    /// Gives up what is under way. Daemons go on living. Once given up, doing it again is nothing new.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested) return;
        await _closing.CancelAsync();
        Task rest;
        lock (_gate) rest = _last;
        await rest;
        _closing.Dispose();
    }

    private Task Begin(RuntimeEffect.StartRuntime asked)
    {
        _attempt = asked.Attempt;
        return Then(() => new RuntimeStart(host, secrets, layout(), asked).RunAsync(_closing.Token));
    }

    private Task Then(Func<Task> work)
    {
        var before = _last;
        return Task.Run(() => AfterAsync(before, work));
    }

    [SuppressMessage("Design", "CA1031", Justification = "one failed effect must not keep the next from running")]
    private async Task AfterAsync(Task before, Func<Task> work)
    {
        await before;
        try
        {
            await work();
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            // The agent ends; what is owed is issued again when it starts.
        }
        catch (Exception error)
        {
            Log.Fail("an effect of the runtime could not be carried out", ("error", error));
        }
    }

    private async Task StopAsync(Seq<string> daemons)
    {
        foreach (var name in daemons)
        {
            if (Daemons.Living(host.Current.State, name) is { } process) await StopAsync(name, process);
        }
    }

    private async Task StopAsync(string name, ProcessState process)
    {
        if (process is not ProcessState.Stopping)
        {
            var request = new ProcessEvent.StopRequested(Option<TimeSpan>.None);
            await host.AskAsync(
                new HostEvent.ProcessRequested(process.Profile.Id, Principal.Root, request), _closing.Token);
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token);
        limit.CancelAfter(process.Profile.Spec.Grace + AfterGrace);
        try
        {
            await Daemons.WhenGoneAsync(host, name, limit.Token);
        }
        catch (OperationCanceledException) when (!_closing.IsCancellationRequested)
        {
            Log.Warn("it lives on though it was killed; the next start waits for its end", ("daemon", name));
        }
    }
}
