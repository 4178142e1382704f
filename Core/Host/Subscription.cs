namespace Agent.Core.Host;

/// <summary>
/// A recurring watch that a state needs. The shell keeps exactly the set that the current state names: equal keys go
/// on undisturbed, a new key starts, a missing one stops.
/// </summary>
public abstract record Subscription
{
    private Subscription() { }

    /// <summary>Ping the engine every <paramref name="Every"/>. Another attempt is another key.</summary>
    public sealed record RuntimeProbe(int Attempt, TimeSpan Every) : Subscription;
}
