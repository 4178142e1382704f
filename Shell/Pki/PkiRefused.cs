using System;
using System.Linq;
using Agent.Shell.Observability;

namespace Agent.Shell.Pki;

/// <summary>
/// It is refused: <see cref="Fault"/> is for programs, the message begins with its name and says what was found and
/// what to do. Within a failed request over TLS it is the inner exception; <see cref="Of"/> finds it.
/// </summary>
internal sealed class PkiRefused : Exception
{
    public PkiRefused()
    {
    }

    public PkiRefused(string message)
        : base(message)
    {
    }

    public PkiRefused(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public PkiRefused(PkiFault fault, string detail)
        : base($"{PkiFaults.NameOf(fault)}: {BoundedText.Harmless(detail)}") => (Fault, Detail) = (fault, BoundedText.Harmless(detail));

    public PkiRefused(PkiFault fault, string detail, Exception innerException)
        : base($"{PkiFaults.NameOf(fault)}: {BoundedText.Harmless(detail)}", innerException) =>
        (Fault, Detail) = (fault, BoundedText.Harmless(detail));

    public PkiFault Fault { get; }

    /// <summary>The message without the fault's name.</summary>
    public string Detail { get; } = "";

    /// <summary>The refusal that a failed request or handshake ended with, if one did.</summary>
    public static PkiRefused? Of(Exception? failure)
    {
        while (failure is not null and not PkiRefused) failure = failure.InnerException;
        return failure as PkiRefused;
    }
}
