using Agent.Core.Model;
using Agent.Core.Time;

namespace Agent.Shell.Pki;

/// <summary>Who calls the plane, by its certificate.</summary>
internal abstract record Caller
{
    private Caller()
    {
    }

    /// <summary>No certificate was shown.</summary>
    internal sealed record Nobody : Caller;

    internal sealed record Host(HostName Name, Credential Credential) : Caller;

    internal sealed record Operator(string Name, Credential Credential) : Caller;

    /// <summary>For what only a host may call. Throws <see cref="PkiRefused"/> for everybody else.</summary>
    public Host RequireHost() => this switch
    {
        Host host => host,
        Operator person => throw new PkiRefused(
            PkiFault.NotAHost, $"{person.Name} is an operator; only a host may call this"),
        Nobody => throw Required(),
    };

    /// <summary>For what names a host in its body: the caller must be that one.</summary>
    public Host RequireHost(HostName named)
    {
        var host = RequireHost();
        return host.Name == named
            ? host
            : throw new PkiRefused(PkiFault.WrongHost, $"{host.Name} cannot speak for {named}");
    }

    /// <summary>For what only an operator may call. Throws <see cref="PkiRefused"/> for everybody else.</summary>
    public Operator RequireOperator() => this switch
    {
        Operator person => person,
        Host host => throw new PkiRefused(
            PkiFault.NotAnOperator,
            $"{host.Name} is a host; call with an operator's certificate, from `agent plane operator`"),
        Nobody => throw Required(),
    };

    /// <summary>For what any host or operator may call.</summary>
    public Caller RequireAnyone() => this switch
    {
        Host or Operator => this,
        Nobody => throw Required(),
    };

    private static PkiRefused Required() => new(
        PkiFault.CertificateRequired, "call with a certificate of this plane; a host gets one with `agent enroll`");
}

/// <summary>The certificate that a caller has shown, as a list of revoked ones judges it.</summary>
/// <param name="Serial">In lowercase hex, 32 digits.</param>
/// <param name="NotBefore">When it was issued, in whole seconds.</param>
internal sealed record Credential(string Serial, Instant NotBefore, Instant NotAfter);
