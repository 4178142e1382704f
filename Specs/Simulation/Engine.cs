using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Specs.Tools;
using LanguageExt;

namespace Agent.Specs.Simulation;

/// <summary>
/// A container engine in memory. It outlives the agent. What a container does depends on its uid, its digest and how often
/// it was started alone; each later start lasts, so that every world comes to rest.
/// </summary>
internal sealed class Engine(int seed, bool faulty)
{
    private readonly SortedDictionary<string, ObservedContainer> _rows = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _counts = [];
    private int _ids;

    public IReadOnlyCollection<ObservedContainer> All => _rows.Values;

    public ObservedContainer? Find(string uid) => _rows.GetValueOrDefault(uid);

    public Seq<ObservedContainer> List() => _rows.Values.ToArray().ToSeq();

    /// <summary>Each first few calls of a kind may fail for a container, where the engine is a faulty one.</summary>
    public bool Fails(string call, ContainerUid uid) =>
        faulty && Count($"{call} {uid}") <= Keeper.Hash(seed, $"{call} {uid}", 0) % 3;

    /// <summary>Null where the name is taken.</summary>
    public string? Create(ContainerUid uid, string digest)
    {
        if (_rows.ContainsKey(uid.Value)) return null;
        var id = $"e{++_ids}";
        _rows[uid.Value] = new(uid, id, digest, new ContainerStatus.Created(), ContainerHealth.None);
        return id;
    }

    /// <summary>How long it lives and with which code it ends, where it ends by itself. False if there is no such one.</summary>
    public bool Start(string id, out TimeSpan? life, out int code)
    {
        (life, code) = (null, 0);
        if (ById(id) is not { } row) return false;
        if (row.Status is ContainerStatus.Running) return true;
        Set(row.Uid.Value, new ContainerStatus.Running(PidAlive: true));
        var dice = Keeper.Hash(seed, $"{row.Uid} {row.Digest}", 0);
        var isJob = row.Uid.Value == "job";
        code = isJob ? dice % 2 : 1 + (dice % 3);
        if (isJob || Count($"start {row.Uid} {row.Digest}") <= dice % 4)
        {
            life = TimeSpan.FromSeconds(dice / 16 % 5) + TimeSpan.FromMilliseconds(600);
        }

        return true;
    }

    public bool Stop(string id)
    {
        if (ById(id) is not { } row) return false;
        if (row.Status is ContainerStatus.Running or ContainerStatus.Paused)
        {
            Set(row.Uid.Value, new ContainerStatus.Exited(143, OutOfMemory: false));
        }

        return true;
    }

    public bool Remove(string id) => ById(id) is { } row && _rows.Remove(row.Uid.Value);

    /// <summary>It ends by itself, if it is still this container's very run.</summary>
    public bool End(string id, int code)
    {
        if (ById(id) is not { Status: ContainerStatus.Running } row) return false;
        Set(row.Uid.Value, new ContainerStatus.Exited(code, OutOfMemory: false));
        return true;
    }

    /// <summary>Somebody meddles with it behind the agent's back.</summary>
    public void Set(string uid, ContainerStatus status)
    {
        if (_rows.TryGetValue(uid, out var row)) _rows[uid] = row with { Status = status };
    }

    private ObservedContainer? ById(string id) => _rows.Values.FirstOrDefault(row => row.EngineId == id);

    private int Count(string what) => _counts[what] = _counts.GetValueOrDefault(what) + 1;
}
