namespace Agent.Core.Process;

/// <summary>
/// How a service shows that it does its work, looked at every <paramref name="Every"/>. One that has not shown it
/// <paramref name="Within"/> its start is stopped, and its restart policy has the word.
/// </summary>
public sealed record Readiness(ReadyCheck Check, TimeSpan Every, TimeSpan Within)
{
    public static TimeSpan DefaultEvery => TimeSpan.FromSeconds(1);

    /// <summary>Often enough for whoever waits, seldom enough for who is asked.</summary>
    public static TimeSpan ShortestEvery => TimeSpan.FromMilliseconds(100);

    public static TimeSpan LongestEvery => TimeSpan.FromMinutes(1);

    public static TimeSpan DefaultWithin => TimeSpan.FromSeconds(90);

    public static TimeSpan ShortestWithin => TimeSpan.FromMilliseconds(100);

    /// <summary>A database that recovers may take this long; what takes longer does not start.</summary>
    public static TimeSpan LongestWithin => TimeSpan.FromHours(6);

    public bool SameAs(Readiness other) => Every == other.Every && Within == other.Within && Check.SameAs(other.Check);
}

/// <summary>What tells that a service is ready.</summary>
public abstract record ReadyCheck
{
    private ReadyCheck() { }

    /// <summary>The service says READY=1 on the socket that NOTIFY_SOCKET names.</summary>
    public sealed record Notify : ReadyCheck;

    /// <summary>A GET is answered with this status.</summary>
    public sealed record Http(string Address, int Status) : ReadyCheck;

    /// <summary>The port takes a connection.</summary>
    public sealed record Tcp(string Host, int Port) : ReadyCheck;

    /// <summary>The command exits with 0.</summary>
    public sealed record Exec(Seq<string> Command) : ReadyCheck;

    public bool SameAs(ReadyCheck other) => this is Exec(var command)
        ? other is Exec(var its) && ProcessSpec.Same(command, its)
        : Equals(other);
}
