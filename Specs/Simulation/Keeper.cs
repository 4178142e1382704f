using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;
using static LanguageExt.Prelude;

namespace Agent.Specs.Simulation;

/// <summary>
/// The keeper and the processes it keeps; both outlive the agent. What a process does depends on the seed, its label
/// and its generation alone, so that it does the same in every run of a world.
/// </summary>
internal sealed class Keeper(int seed)
{
    private readonly Dictionary<(string Id, int Generation), Child> _children = [];
    private int _pids = 100;

    public IReadOnlyCollection<string> Alive =>
        [.. _children.Values.Where(child => !child.Ended).Select(child => child.Name).Order(StringComparer.Ordinal)];

    public Child Spawn(ProcessId id, int generation, ProcessSpec spec)
    {
        if (_children.TryGetValue((id.Value, generation), out var known))
        {
            known.IsNew = false;
            known.Watched = true;
            return known;
        }

        Assert.DoesNotContain(_children.Values, child => child.Id == id && !child.Ended);
        var born = new Child(seed, id, generation, spec, Specimens.Identity(_pids++));
        _children.Add((id.Value, generation), born);
        return born;
    }

    public Child? Find(ProcessId id, int generation) => _children.GetValueOrDefault((id.Value, generation));

    public Child Watch(ProcessId id, int generation)
    {
        var child = _children[(id.Value, generation)];
        child.Watched = true;
        return child;
    }

    public void Forget(ProcessId id, int generation)
    {
        if (Find(id, generation) is { Ended: true }) _children.Remove((id.Value, generation));
    }

    public void Unwatch()
    {
        foreach (var child in _children.Values) child.Watched = false;
    }

    /// <summary>Everything is gone, and nobody saw how.</summary>
    public void Reboot()
    {
        foreach (var child in _children.Values) child.End(new ExitStatus.Lost());
        _children.Clear();
    }

    public Seq<ObservedProcess> List() => _children.Values
        .Select(child => new ObservedProcess(child.Id, child.Generation, child.Observed)).ToArray().ToSeq();

    /// <summary>The same in every run and build, unlike the runtime's own hash of a string.</summary>
    public static int Hash(int seed, string label, int generation)
    {
        var hash = unchecked((uint)seed);
        foreach (var c in label) hash = unchecked((hash * 31) + c);
        hash = unchecked((hash ^ (uint)generation) * 2654435761u);
        return (int)(hash >> 8);
    }
}

/// <summary>One operating-system process.</summary>
internal sealed class Child(int seed, ProcessId id, int generation, ProcessSpec spec, ProcessIdentity identity)
{
    private readonly int _dice = Keeper.Hash(seed, spec.Label, generation);
    private ExitStatus? _status;

    public ProcessId Id => id;

    public int Generation => generation;

    public string Name => $"{id.Value}#{generation}";

    public bool IsNew { get; set; } = true;

    public bool Watched { get; set; } = true;

    public bool Ended => _status is not null;

    public bool IgnoresTerm => spec.Kind != ProcessKind.Daemon && _dice / 8 % 4 == 0;

    /// <summary>None runs until it is stopped. A service settles down with its fifth generation.</summary>
    public Option<TimeSpan> Lives =>
        spec.Kind == ProcessKind.Daemon || _dice % 3 == 0 || (spec.Kind == ProcessKind.Service && generation > 4)
            ? Option<TimeSpan>.None
            : TimeSpan.FromSeconds(_dice / 32 % 9) + TimeSpan.FromMilliseconds(100);

    public ExitStatus OwnEnd => new ExitStatus.Exited(_dice / 512 % 2);

    /// <summary>When it becomes ready, if it tells so at all; one in five never does.</summary>
    public Option<TimeSpan> ReadyAfter => spec.Ready.IsSome && _dice / 64 % 5 != 0
        ? TimeSpan.FromMilliseconds(300)
        : Option<TimeSpan>.None;

    public bool IsReady { get; set; }

    public ProcessEvent Ready => new ProcessEvent.BecameReady(generation);

    public ProcessEvent Answer => new ProcessEvent.SpawnCompleted(generation, identity);

    public ProcessEvent Exit => Specimens.Ended(generation, _status!);

    public Observation Observed => _status is null
        ? new Observation.Alive(identity)
        : new Observation.Ended(_status, TimeSpan.FromMilliseconds(20), 4096, Seq<string>());

    /// <summary>True for the first end; there is only one.</summary>
    public bool End(ExitStatus status)
    {
        if (Ended) return false;
        _status = status;
        return true;
    }
}
