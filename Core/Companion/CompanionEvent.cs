namespace Agent.Core.Companion;

/// <summary>Everything that can happen to one companion. What answers a call carries the call's number.</summary>
public abstract record CompanionEvent
{
    private CompanionEvent() { }

    /// <summary>The configuration declares it, perhaps otherwise than before.</summary>
    public sealed record Declared(CompanionSpec Spec) : CompanionEvent;

    /// <summary>The configuration no more declares it: it is to be stopped, and its file to go.</summary>
    public sealed record Withdrawn : CompanionEvent;

    /// <summary>The look of this pass found it so.</summary>
    public sealed record Observed(int Pass, ObservedCompanion Found) : CompanionEvent;

    /// <summary>Somebody wants it tried at once, whatever was held against it.</summary>
    public sealed record RetryRequested : CompanionEvent;

    /// <summary>The call that is under way did what it was for. Of a start or a stop: systemd took it on.</summary>
    public sealed record CallCompleted(int Call) : CompanionEvent;

    public sealed record CallFailed(int Call, string Reason) : CompanionEvent;

    /// <summary>systemd has read all unit files anew.</summary>
    public sealed record Reloaded : CompanionEvent;

    /// <summary>The agent has just started: what was under way is judged by the next look.</summary>
    public sealed record Recovered : CompanionEvent;

    /// <summary>The wait for another try is over.</summary>
    public sealed record DeadlineReached : CompanionEvent;
}
