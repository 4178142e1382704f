using System;
using System.Collections.Generic;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Agent.Core.Time;

namespace Agent.Shell.Pki;

/// <summary>What a certificate of ours may be used for; each has exactly one use.</summary>
internal enum CertificateUse
{
    Server,
    Client,
}

/// <summary>A new certificate and when it holds, in whole seconds.</summary>
/// <param name="Serial">In lowercase hex, 32 digits.</param>
internal sealed record Issued(string Pem, string Serial, Instant NotBefore, Instant NotAfter);

/// <summary>Writes and signs certificates; what goes into each kind is here and nowhere else.</summary>
internal static class Issuer
{
    public const string ServerUse = "1.3.6.1.5.5.7.3.1";
    public const string ClientUse = "1.3.6.1.5.5.7.3.2";

    public static readonly TimeSpan AuthorityLife = TimeSpan.FromDays(3652);
    public static readonly TimeSpan ServerLife = TimeSpan.FromDays(365);
    public static readonly TimeSpan HostLife = TimeSpan.FromDays(30);

    /// <summary>A person or a robot renews it by hand, four times a year.</summary>
    public static readonly TimeSpan OperatorLife = TimeSpan.FromDays(90);

    /// <summary>Hosts judge the authority and the server, and a clock of theirs may be behind.</summary>
    public static readonly TimeSpan Backdated = TimeSpan.FromHours(1);

    private const int SerialBytes = 16;

    public static X509Certificate2 SelfSigned(ECDsa key, Instant now)
    {
        // Two authorities differ in their names, so that no chain is tried against the wrong one.
        var name = Subject.Only($"Agent plane {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}");
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request.CreateSelfSigned(Time(now - Backdated), Time(now + AuthorityLife));
    }

    /// <summary>
    /// A client's begins with the running second and is not backdated: who revokes by time must be able to tell the
    /// certificates before from those after.
    /// </summary>
    public static X509Certificate2 Client(
        X509Certificate2 authority, PublicKey key, Subject subject, Instant now, TimeSpan life)
    {
        var request = new CertificateRequest(subject.Encode(), key, HashAlgorithmName.SHA256);
        return Sign(authority, request, CertificateUse.Client, now, now + life);
    }

    public static X509Certificate2 Server(
        X509Certificate2 authority, PublicKey key, IReadOnlyList<string> names, Instant now)
    {
        var request = new CertificateRequest(Subject.Only("agent plane"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(ServerNames.Encode(names));
        return Sign(authority, request, CertificateUse.Server, now - Backdated, now + ServerLife);
    }

    /// <summary>The serial number as texts have it.</summary>
    public static string SerialOf(X509Certificate2 certificate) =>
        Convert.ToHexStringLower(certificate.SerialNumberBytes.Span);

    public static Instant From(X509Certificate2 certificate) =>
        new(new DateTimeOffset(certificate.NotBefore).ToUnixTimeMilliseconds());

    public static Instant To(X509Certificate2 certificate) =>
        new(new DateTimeOffset(certificate.NotAfter).ToUnixTimeMilliseconds());

    /// <summary>
    /// Half of its life is over: from here on it is renewed. One that lives as long as its authority cannot be renewed
    /// to live longer, and is left alone to the end.
    /// </summary>
    public static Instant RenewAt(X509Certificate2 certificate, X509Certificate2 authority)
    {
        var (from, to) = (From(certificate), To(certificate));
        return to >= To(authority) ? to : from + ((to - from) / 2);
    }

    private static X509Certificate2 Sign(
        X509Certificate2 authority, CertificateRequest request, CertificateUse use, Instant from, Instant to)
    {
        var extensions = request.CertificateExtensions;
        extensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        extensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        extensions.Add(new X509EnhancedKeyUsageExtension(
            [new Oid(use == CertificateUse.Server ? ServerUse : ClientUse)], critical: true));
        extensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        extensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(
            authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        using var key = authority.GetECDsaPrivateKey()!;
        return request.Create(
            authority.SubjectName,
            X509SignatureGenerator.CreateForECDsa(key),
            Time(from),
            Time(Instant.Earlier(to, To(authority))),
            NewSerial());
    }

    /// <summary>
    /// Random but for its top bits: positive and without a leading zero, it reads alike in every tool.
    /// </summary>
    private static byte[] NewSerial()
    {
        var serial = RandomNumberGenerator.GetBytes(SerialBytes);
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40);
        return serial;
    }

    private static DateTimeOffset Time(Instant at) => DateTimeOffset.FromUnixTimeSeconds(at.UnixMilliseconds / 1000);
}

/// <summary>The names and addresses by which a plane is reached.</summary>
internal static class ServerNames
{
    /// <summary>A plane behind some balancers has a handful.</summary>
    public const int Most = 32;

    /// <summary>Refuses what is neither a DNS name nor an address, with what is.</summary>
    public static void Check(IReadOnlyList<string> names)
    {
        if (names.Count is 0 or > Most)
        {
            throw new PkiRefused(
                PkiFault.BadServerName, "give 1 to 32 names or addresses by which hosts reach the plane");
        }

        foreach (var name in names)
        {
            if (name.Length <= 253 && Uri.CheckHostName(name) is UriHostNameType.Dns or UriHostNameType.IPv4
                or UriHostNameType.IPv6)
            {
                continue;
            }

            throw new PkiRefused(
                PkiFault.BadServerName,
                $"\"{name}\" is no DNS name and no IP address; leave port and scheme away");
        }
    }

    public static X509Extension Encode(IReadOnlyList<string> names)
    {
        var builder = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address)) builder.AddIpAddress(address);
            else builder.AddDnsName(name);
        }

        return builder.Build();
    }

    /// <summary>The names that a certificate has, in their order.</summary>
    public static IReadOnlyList<string> Of(X509Certificate2 certificate)
    {
        foreach (var extension in certificate.Extensions)
        {
            if (extension is not X509SubjectAlternativeNameExtension names) continue;
            return [.. names.EnumerateDnsNames(), .. Texts(names.EnumerateIPAddresses())];
        }

        return [];
    }

    private static IEnumerable<string> Texts(IEnumerable<IPAddress> addresses)
    {
        foreach (var address in addresses) yield return address.ToString();
    }
}
