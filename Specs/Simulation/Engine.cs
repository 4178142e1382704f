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
    private bool Fails(string call, ContainerUid uid) =>
        faulty && Count($"{call} {uid}") <= Keeper.Hash(seed, $"{call} {uid}", 0) % 3;

    /// <summary>Null where the name is taken.</summary>
    private string? Create(ContainerUid uid, string digest)
    {
        if (_rows.ContainsKey(uid.Value)) return null;
        var id = $"e{++_ids}";
        _rows[uid.Value] = new(uid, id, digest, new ContainerStatus.Created(), ContainerHealth.None);
        return id;
    }

    private bool Start(string id, out (TimeSpan Span, int Code)? life)
    {
        life = null;
        if (ById(id) is not { } row) return false;
        if (row.Status is ContainerStatus.Running) return true;
        Set(row.Uid.Value, new ContainerStatus.Running(PidAlive: true));
        var dice = Keeper.Hash(seed, $"{row.Uid} {row.Digest}", 0);
        var isJob = row.Uid.Value == "job";
        var code = isJob ? dice % 2 : 1 + (dice % 3);
        if (isJob || Count($"start {row.Uid} {row.Digest}") <= dice % 4)
        {
            life = (TimeSpan.FromSeconds(dice / 16 % 5) + TimeSpan.FromMilliseconds(600), code);
        }

        return true;
    }

    private bool Stop(string id)
    {
        if (ById(id) is not { } row) return false;
        if (row.Status is ContainerStatus.Running or ContainerStatus.Paused)
        {
            Set(row.Uid.Value, new ContainerStatus.Exited(143, OutOfMemory: false));
        }

        return true;
    }

    private bool Remove(string id) => ById(id) is { } row && _rows.Remove(row.Uid.Value);

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

    public static ContainerUid? UidOf(ContainerEffect effect) => effect switch
    {
        ContainerEffect.Pull pull => pull.Uid,
        ContainerEffect.Create create => create.Uid,
        ContainerEffect.Start start => start.Uid,
        ContainerEffect.Stop stop => stop.Uid,
        ContainerEffect.Remove remove => remove.Uid,
        ContainerEffect.List or ContainerEffect.Reject => null,
    };

    /// <summary>Does as it is told and answers; the life is how long a started container lives, where it ends by itself.</summary>
    public ContainerEvent Obey(ContainerEffect effect, bool isUp, out (TimeSpan Span, int Code)? life)
    {
        life = null;
        return !isUp ? Refuse(effect) : effect switch
        {
            ContainerEffect.Pull(var uid, var call, _, _) => Fails("pull", uid)
                ? new ContainerEvent.PullFailed(call, "no registry")
                : new ContainerEvent.PullCompleted(call),
            ContainerEffect.Create(var uid, var call, var digest) =>
                Fails("create", uid) || Create(uid, digest) is not { } id
                    ? new ContainerEvent.CreateFailed(call, "the name is in use")
                    : new ContainerEvent.CreateCompleted(call, id),
            ContainerEffect.Start(var uid, var call, var id) => Fails("start", uid) || !Start(id, out life)
                ? new ContainerEvent.StartFailed(call, "no such program")
                : new ContainerEvent.StartCompleted(call),
            ContainerEffect.Stop(_, var call, var id, _) => Stop(id)
                ? new ContainerEvent.StopCompleted(call)
                : new ContainerEvent.StopFailed(call, "no such container"),
            ContainerEffect.Remove(var uid, var call, var id) => Fails("remove", uid) || !Remove(id)
                ? new ContainerEvent.RemoveFailed(call, "no such container")
                : new ContainerEvent.RemoveCompleted(call),
            ContainerEffect.List or ContainerEffect.Reject => throw new InvalidOperationException("nobody is asked"),
        };
    }

    private static ContainerEvent Refuse(ContainerEffect effect) => effect switch
    {
        ContainerEffect.Pull pull => new ContainerEvent.PullFailed(pull.Call, "nobody listens"),
        ContainerEffect.Create create => new ContainerEvent.CreateFailed(create.Call, "nobody listens"),
        ContainerEffect.Start start => new ContainerEvent.StartFailed(start.Call, "nobody listens"),
        ContainerEffect.Stop stop => new ContainerEvent.StopFailed(stop.Call, "nobody listens"),
        ContainerEffect.Remove remove => new ContainerEvent.RemoveFailed(remove.Call, "nobody listens"),
        ContainerEffect.List or ContainerEffect.Reject => throw new InvalidOperationException("nobody is asked"),
    };

    private ObservedContainer? ById(string id) => _rows.Values.FirstOrDefault(row => row.EngineId == id);

    private int Count(string what) => _counts[what] = _counts.GetValueOrDefault(what) + 1;
}
