using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading;
using Agent.Core.Host;
using Agent.Core.Time;
using Agent.Shell.Api;
using Agent.Shell.Journal;
using Agent.Shell.Loop;

namespace Agent.Tests.Support;

/// <summary>Records as the journal writes them, made by stepping the core with events of the test's choice.</summary>
internal sealed class MemoryRecords : IJournalRecords, IDisposable
{
    private readonly List<byte[]> _records = [];
    private readonly SemaphoreSlim _more = new(0);
    private HostState _state = HostState.Initial;

    private int Count
    {
        get
        {
            lock (_records) return _records.Count;
        }
    }

    public void Step(HostEvent @event)
    {
        var at = new Instant(_records.Count);
        var transition = HostMachine.Step(_state, new(at, @event));
        _state = transition.State;
        using var body = new RecordBody<HostState, HostEvent, HostEffect>(HostBinding.Instance);
        var text = Encoding.UTF8.GetString(body.Of(@event, transition.Effects, null));
        var record = Encoding.UTF8.GetBytes($"{{\"seq\":{_records.Count + 1},\"at\":\"{at}\",{text}}}");
        lock (_records) _records.Add(record);
        _more.Release();
    }

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        long since, bool follow, [EnumeratorCancellation] CancellationToken stop)
    {
        for (var next = (int)Math.Max(0, since - 1); ; next++)
        {
            while (next >= Count)
            {
                if (!follow) yield break;
                await _more.WaitAsync(stop);
            }

            byte[] record;
            lock (_records) record = _records[next];
            yield return record;
        }
    }

    public void Dispose() => _more.Dispose();
}
