using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using Agent.Core.Model;
using Agent.Core.Time;
using Agent.Shell.Linux;
using Agent.Shell.Observability;

namespace Agent.Shell.Pki;

/// <summary>
/// The plane's certificate authority: it says which host or operator a caller is, and that the plane is the plane. It
/// says nothing about what hosts run; the keys for that are elsewhere. Safe to use from many threads.
/// </summary>
internal sealed class Authority : IDisposable
{
    private const string DirectoryName = "pki";
    private const string KeyFile = "ca.key";
    private const string CertificateFile = "ca.pem";
    private const string ServerFile = "server.pem";

    // A disk that refuses the new server certificate has half a year to get well.
    private static readonly TimeSpan RenewalRetry = TimeSpan.FromMinutes(5);

    private readonly Lock _gate = new();
    private readonly PkiFolder _folder;
    private readonly X509Certificate2 _certificate;
    private ServerCertificate _server;
    private Instant _retryAt;

    private Authority(PkiFolder folder, X509Certificate2 certificate, X509Certificate2 server)
    {
        _folder = folder;
        _certificate = certificate;
        _server = new(server);
        Pem = certificate.ExportCertificatePem() + "\n";
        Fingerprint = SHA256.HashData(certificate.RawDataMemory.Span);
    }

    /// <summary>The authority's certificate as it is given to hosts; the key is not in it.</summary>
    public string Pem { get; }

    /// <summary>SHA-256 of the certificate, which tokens for enrolment carry.</summary>
    public ReadOnlyMemory<byte> Fingerprint { get; }

    /// <summary>From here on it issues nothing and no certificate of it holds.</summary>
    public Instant NotAfter => Issuer.To(_certificate);

    /// <summary>The names and addresses in the server's certificate.</summary>
    public IReadOnlyList<string> ServerNames => Pki.ServerNames.Of(_server.Certificate);

    /// <summary>When the server's certificate is due to be renewed.</summary>
    public Instant ServerRenewAt => Issuer.RenewAt(_server.Certificate, _certificate);

    internal X509Certificate2 Certificate => _certificate;

    /// <summary>
    /// Makes a new authority in the plane's state directory, whole or not at all. Throws <see cref="PkiRefused"/> where
    /// there is one, or a half-made one.
    /// </summary>
    public static Authority Init(
        string stateDirectory, IReadOnlyList<string> serverNames, Instant now, Action<string>? step = null)
    {
        Pki.ServerNames.Check(serverNames);
        using (var state = PkiFolder.OpenOrMake(stateDirectory, step))
        {
            var made = state.TryMake(DirectoryName, folder => Fill(folder, serverNames, now));
            if (made) return Load(stateDirectory, now);
            var path = state.At(DirectoryName);
            using var there = PkiFolder.Open(path);
            RequireWhole(there);
            throw new PkiRefused(
                PkiFault.AuthorityExists,
                $"{path} holds an authority, and hosts may trust it; use it, or move it away");
        }
    }

    /// <summary>
    /// Loads it, and renews the server's certificate if that is due or its names are to be others. Throws
    /// <see cref="PkiRefused"/> with the file and what to do.
    /// </summary>
    public static Authority Load(
        string stateDirectory, Instant now, IReadOnlyList<string>? serverNames = null, Action<string>? step = null)
    {
        var path = System.IO.Path.Combine(stateDirectory, DirectoryName);
        if (!System.IO.Directory.Exists(path))
        {
            throw new PkiRefused(PkiFault.AuthorityMissing, $"there is no {path}; make it with `agent plane init`");
        }

        var folder = PkiFolder.Open(path, step);
        try
        {
            var authority = Read(folder);
            authority.RequireAlive(now);
            authority.RenewServer(now, serverNames ?? authority.ServerNames);
            return authority;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>
    /// A host's certificate for the key of a request, whoever made that: the caller has checked a token or the host's
    /// own certificate. Throws <see cref="PkiRefused"/>.
    /// </summary>
    public Issued Issue(string csrPem, HostName host, Instant now) =>
        Sign(SigningRequest.Read(csrPem, host.Value), new(Subject.Host, host.Value), now, Issuer.HostLife);

    /// <summary>An operator's certificate for the key of a request. Throws <see cref="PkiRefused"/>.</summary>
    public Issued IssueOperator(string csrPem, string name, Instant now) =>
        Sign(SigningRequest.Read(csrPem, Operator(name).Name), Operator(name), now, Issuer.OperatorLife);

    /// <summary>An operator's certificate with a new key before it, in one PEM text that is a secret.</summary>
    public Issued MakeOperator(string name, Instant now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var issued = Sign(new PublicKey(key), Operator(name), now, Issuer.OperatorLife);
        return issued with { Pem = PemPair.Write(key) + issued.Pem };
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _folder.Dispose();
    }

    /// <summary>What a new connection shows; renewed here if that is due.</summary>
    internal SslStreamCertificateContext ServerAt(Instant now)
    {
        if (now >= ServerRenewAt && now >= _retryAt && now < NotAfter) TryRenewServer(now);
        return _server.Context;
    }

    private static void Fill(PkiFolder folder, IReadOnlyList<string> serverNames, Instant now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Issuer.SelfSigned(key, now);
        folder.Replace(KeyFile, PemPair.Write(key));
        folder.Replace(CertificateFile, certificate.ExportCertificatePem() + "\n");
        folder.Replace(ServerFile, MakeServer(certificate, serverNames, now));
    }

    private static string MakeServer(X509Certificate2 authority, IReadOnlyList<string> names, Instant now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var server = Issuer.Server(authority, new PublicKey(key), names, now);
        return PemPair.Write(key, server);
    }

    private static Authority Read(PkiFolder folder)
    {
        RequireWhole(folder);
        var certificate = PemPair.Read(folder.Read(KeyFile)! + folder.Read(CertificateFile)!)
            ?? throw Broken(folder, CertificateFile, $"it does not belong to {KeyFile}, or one of them is damaged");
        var server = PemPair.Read(folder.Read(ServerFile)!)
            ?? throw Broken(folder, ServerFile, "it does not hold a key with its certificate");
        if (!CertificateCheck.IsIssuedBy(server, certificate))
        {
            throw Broken(folder, ServerFile, $"it was not issued by {CertificateFile}");
        }

        return new Authority(folder, certificate, server);
    }

    private static void RequireWhole(PkiFolder folder)
    {
        foreach (var name in (string[])[KeyFile, CertificateFile, ServerFile])
        {
            if (folder.Read(name) is not null) continue;
            throw new PkiRefused(
                PkiFault.AuthorityIncomplete,
                $"{folder.At(name)} is missing; put it back from a backup, or move {folder.Path} away and begin anew");
        }
    }

    private static PkiRefused Broken(PkiFolder folder, string file, string why) => new(
        PkiFault.AuthorityBroken, $"{folder.At(file)}: {why}; put {folder.Path} back from a backup");

    private static Subject Operator(string name)
    {
        if (name.Length is > 0 and <= 64
            && name.All(one => char.IsAsciiLetterOrDigit(one) || one is '-' or '_' or '.' or '@'))
        {
            return new(Subject.Operator, name);
        }

        throw new PkiRefused(
            PkiFault.BadOperatorName, "an operator's name is 1 to 64 letters, digits, -, _, . and @");
    }

    private Issued Sign(PublicKey key, Subject subject, Instant now, TimeSpan life)
    {
        RequireAlive(now);
        lock (_gate)
        {
            using var certificate = Issuer.Client(_certificate, key, subject, now, life);
            return new(
                certificate.ExportCertificatePem() + "\n",
                Issuer.SerialOf(certificate),
                Issuer.From(certificate),
                Issuer.To(certificate));
        }
    }

    private void RequireAlive(Instant now)
    {
        if (now < NotAfter) return;
        throw new PkiRefused(
            PkiFault.AuthorityExpired,
            $"{_folder.At(CertificateFile)} ended at {NotAfter}; make a new authority and enrol the hosts anew");
    }

    /// <summary>The old certificate serves on where the new one cannot be kept.</summary>
    private void TryRenewServer(Instant now)
    {
        try
        {
            RenewServer(now, ServerNames);
        }
        catch (FileFailure failure)
        {
            _retryAt = now + RenewalRetry;
            Log.Warn(
                "the server certificate was not renewed",
                ("file", _folder.At(ServerFile)),
                ("failure", failure.Message),
                ("ends", Issuer.To(_server.Certificate).ToString()));
        }
    }

    private void RenewServer(Instant now, IReadOnlyList<string> names)
    {
        lock (_gate)
        {
            if (now < ServerRenewAt && names.ToHashSet().SetEquals(ServerNames)) return;
            Pki.ServerNames.Check(names);
            var pem = MakeServer(_certificate, names, now);
            _folder.Replace(ServerFile, pem);

            // A handshake under way may hold the old one: it is left to the collector.
            _server = new(PemPair.Read(pem)!);
            Log.Info(
                "the server certificate is new",
                ("names", string.Join(", ", names)),
                ("ends", Issuer.To(_server.Certificate).ToString()));
        }
    }

    /// <summary>The certificate in the form that handshakes take, made once.</summary>
    private sealed class ServerCertificate(X509Certificate2 certificate)
    {
        public X509Certificate2 Certificate { get; } = certificate;

        public SslStreamCertificateContext Context { get; } =
            SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true);
    }
}
