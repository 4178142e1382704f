using Agent.Core.Model;

namespace Agent.Core.Companion;

/// <summary>Everything that can happen to the set of companions.</summary>
public abstract record CompanionsEvent
{
    private CompanionsEvent() { }

    /// <summary>Exactly these are declared.</summary>
    public sealed record Declared(Seq<CompanionSpec> Specs) : CompanionsEvent;

    /// <summary>Something happened to one of them.</summary>
    public sealed record One(CompanionName Name, CompanionEvent Event) : CompanionsEvent;

    /// <summary>Somebody wants a pass at once.</summary>
    public sealed record ReconcileRequested : CompanionsEvent;

    public sealed record Looked(int Pass, Seq<ObservedCompanion> Found) : CompanionsEvent;

    /// <summary>The look tells nothing but what is believed already; most do, and need not be written down each time.</summary>
    public sealed record LookConfirmed(int Pass) : CompanionsEvent;

    public sealed record LookFailed(int Pass, string Reason) : CompanionsEvent;

    public sealed record ReloadCompleted(int Number) : CompanionsEvent;

    public sealed record ReloadFailed(int Number, string Reason) : CompanionsEvent;

    /// <summary>The agent has just started.</summary>
    public sealed record Recovered : CompanionsEvent;

    public sealed record DeadlineReached : CompanionsEvent;
}
