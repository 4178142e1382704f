using System;
using System.Linq;

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
        : base($"{PkiFaults.NameOf(fault)}: {Shown(detail)}") => (Fault, Detail) = (fault, Shown(detail));

    public PkiRefused(PkiFault fault, string detail, Exception innerException)
        : base($"{PkiFaults.NameOf(fault)}: {Shown(detail)}", innerException) =>
        (Fault, Detail) = (fault, Shown(detail));

    public PkiFault Fault { get; }

    /// <summary>The message without the fault's name.</summary>
    public string Detail { get; } = "";

    /// <summary>The refusal that a failed request or handshake ended with, if one did.</summary>
    public static PkiRefused? Of(Exception? failure)
    {
        while (failure is not null and not PkiRefused) failure = failure.InnerException;
        return failure as PkiRefused;
    }

    /// <summary>Names in a message are a stranger's choice: no control characters for terminals and logs.</summary>
    private static string Shown(string detail)
    {
        const int longest = 600;
        var shown = detail.Length <= longest ? detail : detail[..longest] + "…";
        return string.Concat(shown.Select(one => char.IsControl(one) ? '?' : one));
    }
}
