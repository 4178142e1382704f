using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Time;
using LanguageExt;

namespace Agent.Shell.Loop;

/// <summary>
/// The single writer. Takes what is in the inbox, stamps and steps each event, makes the batch durable with one sync,
/// publishes the state, and only then hands out the effects and answers those who asked.
/// </summary>
internal class EventLoop<TState, TEvent, TEffect> : ILoop<TState, TEvent, TEffect>, IDisposable
{
    // Room for every keeper exit of a full registry at once, next to as many callers; beyond that callers wait.
    private const int InboxCapacity = 4096;

    // A batch is one sync. A thousand events make the sync's share of each negligible and stay under a MiB.
    private const int BatchLimit = 1024;

    private readonly Channel<Input> _inbox = Channel.CreateBounded<Input>(new BoundedChannelOptions(InboxCapacity)
    {
        FullMode = BoundedChannelFullMode.Wait,
        SingleReader = true,
        SingleWriter = false,
        AllowSynchronousContinuations = false,
    });

    private readonly List<Outcome> _batch = new(BatchLimit);
    private readonly CancellationTokenSource _ended = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Publication<TState> _publication;
    private readonly Binding<TState, TEvent, TEffect> _machine;
    private readonly IRecorder<TState, TEvent, TEffect> _recorder;
    private readonly IEffects<TEffect> _effects;
    private readonly Clock _clock;
    private Thread? _thread;
    private Task<bool>? _arrival;
    private volatile bool _hasStarted;

    public EventLoop(
        Binding<TState, TEvent, TEffect> machine, Published<TState> recovered, Clock clock,
        IRecorder<TState, TEvent, TEffect> recorder, IEffects<TEffect> effects)
    {
        _machine = machine;
        _publication = new Publication<TState>(recovered);
        _hasStarted = recovered.Seq == 0;
        _clock = clock;
        _recorder = recorder;
        _effects = effects;
    }

    public Published<TState> Current => _publication.Current;

    public Instant Now => _clock.Now;

    /// <summary>
    /// The machine has stepped the start of this run, or there was no run before it. Until then what the state waits for
    /// is what that other run waited for: no deadline is posted, and nobody should watch anything for it.
    /// </summary>
    public bool HasStarted => _hasStarted;

    /// <summary>Ends when the loop was asked to end, or fails with what made it stop.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Raised on the loop's thread after each batch. Handlers only note it down.</summary>
    public event Action<Published<TState>>? Advanced;

    /// <summary>One thread for the life of the loop: the journal is written by nobody else.</summary>
    public void Start()
    {
        _thread = new Thread(Run) { Name = "loop", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Takes no more events, finishes those taken and ends.</summary>
    public void Complete() => _inbox.Writer.TryComplete();

    public ValueTask PostAsync(TEvent @event, CancellationToken stop) =>
        _inbox.Writer.WriteAsync(new(@event, null), stop);

    public async Task<Decision<TState, TEffect>> AskAsync(TEvent @event, CancellationToken stop)
    {
        var asked = new TaskCompletionSource<Decision<TState, TEffect>>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _inbox.Writer.WriteAsync(new(@event, asked), stop).ConfigureAwait(false);
        return await asked.Task.WaitAsync(stop).ConfigureAwait(false);
    }

    public async Task<Published<TState>> WhenAsync(Func<Published<TState>, bool> condition, CancellationToken stop)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, _ended.Token);
        return await _publication.WhenAsync(condition, either.Token).ConfigureAwait(false);
    }

    /// <summary>Waits for the loop's thread, which ends those who wait for a state.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        Complete();
        _thread?.Join();
        _ended.Dispose();
    }

    private void Run()
    {
        try
        {
            while (WaitForWork()) Advance();
            _completion.TrySetResult();
        }
#pragma warning disable CA1031 // Whatever stops the loop stops the agent; the boot tells it and ends the process.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            foreach (var outcome in _batch) outcome.Asked?.TrySetException(failure);
            _inbox.Writer.TryComplete(failure);
            while (_inbox.Reader.TryRead(out var left)) left.Asked?.TrySetException(failure);
            _completion.TrySetException(failure);
        }
        finally
        {
            _ended.Cancel();
        }
    }

    /// <summary>Sleeps until an event or the deadline comes. False: the inbox is complete and empty.</summary>
    private bool WaitForWork()
    {
        _arrival ??= _inbox.Reader.WaitToReadAsync().AsTask();
        if (!_arrival.IsCompleted) _arrival.Wait(UntilDeadline());
        if (!_arrival.IsCompleted) return true;
        var more = _arrival.GetAwaiter().GetResult();
        _arrival = null;
        return more;
    }

    private TimeSpan UntilDeadline()
    {
        if (!_hasStarted || !_machine.Deadline(Current.State).TryGet(out var deadline)) return Timeout.InfiniteTimeSpan;
        var wait = deadline - _clock.Now;
        return wait <= TimeSpan.Zero ? TimeSpan.Zero : wait < MaxSleep ? wait : MaxSleep;
    }

    // A day is far enough to cost nothing and near enough for the runtime's timer to represent.
    private static TimeSpan MaxSleep => TimeSpan.FromDays(1);

    private void Advance()
    {
        _batch.Clear();
        var last = Current;
        while (_batch.Count < BatchLimit && !_recorder.IsFull && _inbox.Reader.TryRead(out var input)) last = Step(last, input);
        if (_hasStarted && _machine.Deadline(last.State).TryGet(out var deadline) && deadline <= _clock.Now)
        {
            last = Step(last, new(_machine.DeadlineReached, null));
        }

        if (_batch.Count == 0) return;
        _recorder.Commit(last);
        _publication.Publish(last);
        foreach (var outcome in _batch)
        {
            foreach (var effect in outcome.Effects) _effects.Run(effect);
            outcome.Asked?.TrySetResult(new Decision<TState, TEffect>(outcome.After, outcome.Effects, RefusalIn(outcome.Effects)));
        }

        Advanced?.Invoke(last);
    }

    private Published<TState> Step(Published<TState> before, Input input)
    {
        var at = _clock.Now;
        var transition = _machine.Step(before.State, new(at, input.Event));
        var after = new Published<TState>(before.Seq + 1, at, transition.State);
        _recorder.Append(after.Seq, at, input.Event, transition.Effects, transition.State);
        _batch.Add(new(after, transition.Effects, input.Asked));
        if (_machine.IsStart(input.Event)) _hasStarted = true;
        return after;
    }

    private Refusal? RefusalIn(Seq<TEffect> effects)
    {
        foreach (var effect in effects)
        {
            if (_machine.RefusalOf(effect) is { } refusal) return refusal;
        }

        return null;
    }

    private readonly record struct Input(TEvent Event, TaskCompletionSource<Decision<TState, TEffect>>? Asked);

    private readonly record struct Outcome(
        Published<TState> After, Seq<TEffect> Effects, TaskCompletionSource<Decision<TState, TEffect>>? Asked);
}
