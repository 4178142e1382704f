using System;
using System.IO;
using System.Security.Cryptography;
using Agent.Shell.Linux;
using Agent.Shell.Trust;
using Xunit;

namespace Agent.Tests.Trust;

public sealed class SigningKeyTests : IDisposable
{
    // RFC 8032 7.1, test 1, in the PKCS#8 of RFC 8410.
    private const string KnownSeed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    private const string KnownPublicKey = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    private readonly string _directory = Directory.CreateTempSubdirectory("trust-keys-").FullName;

    private string KeyFile => Path.Combine(_directory, "key.pem");

    /// TR-1: what a key signs it verifies, with both algorithms, for messages of any length; and nothing else.
    [Theory]
    [InlineData("Ed25519")]
    [InlineData("EcdsaP256")]
    public void A_signature_is_over_exactly_its_bytes(string algorithm)
    {
        using var key = SigningKey.Generate(Enum.Parse<KeyAlgorithm>(algorithm));
        using var other = SigningKey.Generate(Enum.Parse<KeyAlgorithm>(algorithm));
        foreach (var message in (byte[][])[[], [1], new byte[100_000]])
        {
            var signature = key.Sign(message);
            Assert.Equal(64, signature.Length);
            Assert.True(key.PublicKey.Verifies(signature, message));
            Assert.False(other.PublicKey.Verifies(signature, message));
            Assert.False(key.PublicKey.Verifies(signature, [.. message, 0]));
            Assert.False(key.PublicKey.Verifies(signature.AsSpan(1), message));
            Assert.False(key.PublicKey.Verifies([], message));
        }
    }

    /// SE-1: a key is written for its owner alone, never over another, and reads back as it was.
    [Theory]
    [InlineData("Ed25519")]
    [InlineData("EcdsaP256")]
    public void A_key_reads_back_from_its_file(string algorithm)
    {
        using var key = SigningKey.Generate(Enum.Parse<KeyAlgorithm>(algorithm));
        key.Save(KeyFile);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyFile));
        using var read = Assert.IsType<Checked<SigningKey>.Passed>(SigningKey.Load(KeyFile)).Value;
        Assert.Equal(key.PublicKey, read.PublicKey);
        Assert.True(key.PublicKey.Verifies(read.Sign("text"u8), "text"u8));
        Assert.Throws<FileFailure>(() => key.Save(KeyFile));
    }

    /// TR-1: the file is the one other tools write.
    [Fact]
    public void A_known_key_gives_its_known_public_half()
    {
        var pkcs8 = Convert.FromHexString("302e020100300506032b657004220420" + KnownSeed);
        Write(PemEncoding.WriteString("PRIVATE KEY", pkcs8));
        using var key = Assert.IsType<Checked<SigningKey>.Passed>(SigningKey.Load(KeyFile)).Value;
        Assert.Equal(KnownPublicKey, Convert.ToHexStringLower(key.PublicKey.Raw));
    }

    /// SE-1: a key that others may read is not used.
    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void A_key_that_others_may_use_is_refused(UnixFileMode more)
    {
        using var key = SigningKey.Generate(KeyAlgorithm.Ed25519);
        key.Save(KeyFile);
        File.SetUnixFileMode(KeyFile, File.GetUnixFileMode(KeyFile) | more);
        Assert.Contains("chmod 600", Refused(), StringComparison.Ordinal);
    }

    /// SE-1: whatever is no key of ours is refused with its file, and never with its content.
    [Fact]
    public void What_is_no_key_is_refused()
    {
        Assert.Contains(KeyFile, Refused(), StringComparison.Ordinal);
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        string[] texts =
        [
            "",
            "secret",
            p384.ExportPkcs8PrivateKeyPem(),
            p384.ExportSubjectPublicKeyInfoPem(),
            PemEncoding.WriteString("PRIVATE KEY", new byte[48]),
        ];
        foreach (var text in texts)
        {
            Write(text);
            var why = Refused();
            Assert.Contains(KeyFile, why, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", why, StringComparison.Ordinal);
        }
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private string Refused()
    {
        var why = Assert.IsType<Checked<SigningKey>.Refused>(SigningKey.Load(KeyFile)).Why;
        Assert.Equal(TrustFault.BadKey, why.Fault);
        return why.Detail;
    }

    private void Write(string text)
    {
        File.Delete(KeyFile);
        File.WriteAllText(KeyFile, text);
        File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
