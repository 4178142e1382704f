using System;
using Agent.Core.Outbox;

namespace Agent.Shell.Uplink;

/// <summary>The plane was not reached, or what it said is no answer; whose fault that is decides what follows.</summary>
internal sealed class PlaneFailure : Exception
{
    public PlaneFailure()
    {
    }

    public PlaneFailure(string message)
        : base(message)
    {
    }

    public PlaneFailure(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <param name="code">The stable code of a problem that the plane named, or of our own.</param>
    public PlaneFailure(FailureKind kind, string code, string message, TimeSpan? retryAfter = null, int status = 0)
        : base(message) => (Kind, Code, RetryAfter, Status) = (kind, code, retryAfter, status);

    public FailureKind Kind { get; }

    /// <summary>The HTTP status of an answer; 0 where none came.</summary>
    public int Status { get; }

    public string Code { get; } = "plane";

    /// <summary>How long the plane asks to be left alone, as it said it; nobody has judged it yet.</summary>
    public TimeSpan? RetryAfter { get; }
}
