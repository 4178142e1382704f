using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Time;

namespace Agent.Core.Container;

/// <summary>
/// What is known and wanted of one container.
/// <list type="bullet">
/// <item><paramref name="Spec"/>: none while nothing declares it. What is dropped goes by the one it had.</item>
/// <item><paramref name="Owed"/>: somebody asked for a start that has not come about.</item>
/// <item><paramref name="Calls"/>: the number of its last engine call. An answer names the call it belongs to.</item>
/// <item><paramref name="FromPass"/>: the list of an earlier pass may have been made before its last call ended, and says
/// nothing about it.</item>
/// <item><paramref name="Pulled"/>: the digest of the definition whose image is there.</item>
/// <item><paramref name="Made"/>: the digest of the container that was there last.</item>
/// <item><paramref name="RunningSince"/>: set from its start until its end was seen.</item>
/// </list>
/// </summary>
public sealed record ContainerProfile(
    ContainerUid Uid,
    Option<ContainerSpec> Spec,
    ContainerWish Wish,
    bool Owed,
    Sighting Seen,
    int Calls,
    int FromPass,
    Option<string> Pulled,
    Option<string> Made,
    Option<Instant> RunningSince,
    Option<ContainerEnd> End,
    ContainerHistory History,
    Option<Instant> RetryAt)
{
    public static ContainerProfile New(ContainerUid uid) => new(
        uid, None, ContainerWish.Repaired, Owed: false, new Sighting.Unseen(), Calls: 0, FromPass: 0, None, None, None, None,
        ContainerHistory.Empty, None);

    /// <summary>What declares it. A dropped one's spec tells only how it goes.</summary>
    public Option<ContainerSpec> Declared => Wish == ContainerWish.Dropped ? None : Spec;

    public Option<ObservedContainer> Present =>
        Seen is Sighting.Present(var container) ? container : Option<ObservedContainer>.None;

    /// <summary>It keeps ending, and has not run for long enough since to be trusted.</summary>
    public bool IsCrashLooping(Instant now) => History.Tally.CrashLooping
        && !(Present.Exists(container => container.Status is ContainerStatus.Running(PidAlive: true))
            && RunningSince.Exists(since => now - since >= RestartTally.StableAfter));

    /// <summary>
    /// Somebody asked: what was held against it is forgotten, and an image that is always to be asked of its registry is
    /// asked for again, if the container is made anew.
    /// </summary>
    public ContainerProfile Afresh() => this with
    {
        History = History.Afresh(),
        RetryAt = None,
        Pulled = Spec.Exists(spec => spec.Pull == PullPolicy.Always) ? None : Pulled,
    };
}

/// <summary>
/// What is wanted of a container. Only a user's word leads from Stopped to the others. A removal stands for as long as the
/// container is declared; then it is dropped, and begins anew when it is declared again.
/// </summary>
public enum ContainerWish
{
    /// <summary>Where it exists it runs; where it does not, nobody asked for it.</summary>
    Repaired,

    /// <summary>It exists and runs.</summary>
    Installed,

    /// <summary>Its user stopped it.</summary>
    Stopped,

    /// <summary>Its user wants it gone, although it is declared.</summary>
    Removed,

    /// <summary>Nothing declares it, and it is to go: so said its user, or who declares it no more.</summary>
    Dropped,
}

/// <summary>What the agent believes of a container: the last list that concerns it, and the outcome of calls since.</summary>
public abstract record Sighting
{
    private Sighting() { }

    /// <summary>No list was seen since the agent started, or a call failed and nobody knows what it did.</summary>
    public sealed record Unseen : Sighting;

    public sealed record Absent : Sighting;

    public sealed record Present(ObservedContainer Container) : Sighting;
}

/// <summary>How the container of this definition ended last; it holds beyond the container's own removal.</summary>
public sealed record ContainerEnd(string Digest, int Code, bool OutOfMemory)
{
    public bool IsSuccess => Code == 0 && !OutOfMemory;
}

/// <summary>
/// What was done and what went wrong. <paramref name="Failures"/> counts calls that failed in a row;
/// <paramref name="Recreations"/> are those nobody asked for, as far as they still count.
/// </summary>
public sealed record ContainerHistory(
    RestartTally Tally, int Failures, Seq<Instant> Recreations, Option<ContainerDeed> LastDeed,
    Option<ContainerFailure> LastFailure)
{
    /// <summary>A container that must be made anew this often is not repaired by making it anew.</summary>
    public const int CircuitRecreations = 5;

    public static ContainerHistory Empty { get; } = new(RestartTally.None, 0, Seq<Instant>(), None, None);

    public static TimeSpan CircuitWindow => TimeSpan.FromMinutes(30);

    /// <summary>A failed call is tried again after 1 s, 2 s, 4 s and so on to a minute.</summary>
    public TimeSpan RetryWait => TimeSpan.FromSeconds(Failures >= 7 ? 60 : 1 << Math.Max(0, Failures - 1));

    /// <summary>When the circuit closes by itself, if it is open.</summary>
    public Option<Instant> CircuitUntil(Instant now)
    {
        var counting = Counting(now);
        return counting.Count < CircuitRecreations ? None : counting[counting.Count - CircuitRecreations] + CircuitWindow;
    }

    public ContainerHistory WithRecreation(Instant now) => this with { Recreations = Counting(now).Add(now) };

    public ContainerHistory Afresh() =>
        this with { Tally = RestartTally.None, Failures = 0, Recreations = Seq<Instant>() };

    private Seq<Instant> Counting(Instant now) => Recreations.Filter(at => now - at < CircuitWindow).Strict();
}

public sealed record ContainerDeed(ContainerAction Action, Instant At);

/// <summary>A call that failed, in the engine's own words.</summary>
public sealed record ContainerFailure(ContainerCall Call, Instant At, string Reason);
