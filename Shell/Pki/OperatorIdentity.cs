using System;
using System.IO;
using System.Net.Http;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Agent.Core.Time;
using Agent.Shell.Linux;

namespace Agent.Shell.Pki;

/// <summary>An operator's key and certificate and the plane's authority, in one file that is a secret.</summary>
internal sealed class OperatorIdentity
{
    // A key and two certificates; more is no such file.
    private const int MaxBytes = 64 << 10;

    private readonly X509Certificate2 _certificate;
    private readonly X509Certificate2 _authority;

    private OperatorIdentity(X509Certificate2 certificate, X509Certificate2 authority) =>
        (_certificate, _authority) = (certificate, authority);

    /// <summary>Throws <see cref="PkiRefused"/> where it is no such file.</summary>
    public static OperatorIdentity Load(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists || file.Length > MaxBytes) throw Broken(path);
        var text = File.ReadAllText(path);
        return PemPair.Read(text) is { } certificate && PemPair.ReadCertificate(text, skip: 1) is { } authority
            ? new(certificate, authority)
            : throw Broken(path);
    }

    /// <summary>Only its owner may read it from its first byte on.</summary>
    public static void Save(string path, string pair, string authority)
    {
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        file.Write(Encoding.ASCII.GetBytes(pair + authority));
    }

    public HttpMessageHandler Handler(Func<Instant> clock) => PlaneConnections.For(_certificate, _authority, clock);

    private static PkiRefused Broken(string path) => new(
        PkiFault.IdentityMissing,
        $"{path} does not hold an operator's key, its certificate and the plane's authority; get one with `agent plane operator`");
}
