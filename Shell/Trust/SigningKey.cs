using System;
using System.IO;
using System.Security.Cryptography;
using System.Text;
using Agent.Shell.Linux;
using Microsoft.Win32.SafeHandles;

namespace Agent.Shell.Trust;

/// <summary>
/// A key that signs, for whoever publishes; hosts and planes hold none. Its file is PKCS#8 in PEM, as
/// <c>openssl genpkey</c> writes it. Dispose wipes the secret.
/// </summary>
internal sealed class SigningKey : IDisposable
{
    // Some fifty times what a key of ours takes.
    private const int MaxFileBytes = 16 * 1024;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // PKCS#8 of an Ed25519 key up to its 32 bytes (RFC 8410): version 0, algorithm 1.3.101.112, a string in a string.
    private static readonly byte[] Ed25519Head =
        [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

    // The seed of Ed25519 or the scalar of P-256.
    private readonly byte[] _secret;

    private SigningKey(PublicKey publicKey, byte[] secret)
    {
        PublicKey = publicKey;
        _secret = secret;
    }

    public PublicKey PublicKey { get; }

    public static SigningKey Generate(KeyAlgorithm algorithm)
    {
        if (algorithm == KeyAlgorithm.Ed25519) return OfSeed(RandomNumberGenerator.GetBytes(Ed25519.KeyBytes));
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return OfScalar(ecdsa);
    }

    /// <summary>
    /// The key of a PKCS#8 PEM file. Refused, always as <c>bad-key</c> with the file and what to do: a file that others
    /// may read, one that cannot be read, and anything that is no Ed25519 or P-256 key.
    /// </summary>
    public static Checked<SigningKey> Load(string path)
    {
        try
        {
            using var file = File.OpenHandle(path);
            var mode = File.GetUnixFileMode(file);
            if ((mode & ~OwnerOnly) != 0)
            {
                return Bad(path, $"others than its owner may use it (mode {Octal(mode)}); chmod 600 it");
            }

            return Parse(Text(file)) is { } key
                ? key
                : Bad(path, "it holds no private key of Ed25519 or P-256 in PKCS#8 PEM");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return Bad(path, failure.Message);
        }
    }

    /// <summary>
    /// Writes the key to a new file, 0600, durably. Throws <see cref="FileFailure"/>, also where there is such a file.
    /// </summary>
    public void Save(string path)
    {
        var pem = Encoding.ASCII.GetBytes(Pem() + "\n");
        var fd = Files.CreateNew(path);
        try
        {
            Files.Write(fd, path, pem, 0);
            Files.SyncData(fd, path);
        }
        finally
        {
            Files.Close(fd);
            CryptographicOperations.ZeroMemory(pem);
        }

        Files.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/");
    }

    /// <summary>The signature over exactly these bytes, 64 bytes for both algorithms.</summary>
    public byte[] Sign(ReadOnlySpan<byte> message)
    {
        if (PublicKey.Algorithm == KeyAlgorithm.Ed25519) return Ed25519.Sign(_secret, message);
        using var ecdsa = Ecdsa();
        return ecdsa.SignData(
            message.ToArray(), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_secret);

    /// <summary>Names the public half only.</summary>
    public override string ToString() => $"signing key {PublicKey}";

    private static SigningKey? Parse(string text)
    {
        if (!PemEncoding.TryFind(text, out var pem) || text.AsSpan()[pem.Label] is not "PRIVATE KEY") return null;
        var pkcs8 = Convert.FromBase64String(text[pem.Base64Data]);
        try
        {
            if (pkcs8.Length == Ed25519Head.Length + Ed25519.KeyBytes && pkcs8.AsSpan().StartsWith(Ed25519Head))
            {
                return OfSeed(pkcs8[Ed25519Head.Length..]);
            }

            using var ecdsa = ECDsa.Create();
            ecdsa.ImportPkcs8PrivateKey(pkcs8, out _);
            return ecdsa.ExportParameters(false).Curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value
                ? OfScalar(ecdsa)
                : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }
    }

    private static SigningKey OfSeed(byte[] seed) => new(Good(KeyAlgorithm.Ed25519, Ed25519.PublicKeyOf(seed)), seed);

    private static SigningKey OfScalar(ECDsa ecdsa)
    {
        var parameters = ecdsa.ExportParameters(true);
        return new(Good(KeyAlgorithm.EcdsaP256, [.. parameters.Q.X!, .. parameters.Q.Y!]), parameters.D!);
    }

    private static PublicKey Good(KeyAlgorithm algorithm, byte[] raw) => PublicKey.From(algorithm, raw) switch
    {
        Checked<PublicKey>.Passed(var key) => key,
        Checked<PublicKey>.Refused(var why) => throw new CryptographicException($"the public half is bad: {why}"),
    };

    private ECDsa Ecdsa() => ECDsa.Create(new ECParameters
    {
        Curve = ECCurve.NamedCurves.nistP256,
        Q = new() { X = PublicKey.Raw[..32].ToArray(), Y = PublicKey.Raw[32..].ToArray() },
        D = _secret,
    });

    private string Pem()
    {
        if (PublicKey.Algorithm == KeyAlgorithm.Ed25519)
        {
            return PemEncoding.WriteString("PRIVATE KEY", [.. Ed25519Head, .. _secret]);
        }

        using var ecdsa = Ecdsa();
        return ecdsa.ExportPkcs8PrivateKeyPem();
    }

    private static string Text(SafeFileHandle file)
    {
        var bytes = new byte[MaxFileBytes];
        return Encoding.Latin1.GetString(bytes, 0, RandomAccess.Read(file, bytes, 0));
    }

    private static string Octal(UnixFileMode mode) => Convert.ToString((int)mode, 8).PadLeft(4, '0');

    private static Refusal Bad(string path, string why) => new(TrustFault.BadKey, $"{path}: {why}");
}
