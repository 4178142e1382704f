using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Agent.Core.Time;
using Agent.Shell.Trust;
using Xunit;

namespace Agent.Tests.Trust;

/// <summary>
/// Signers with fresh keys, and the files they would write. Texts are made canonical, so tests write them as they read
/// best.
/// </summary>
internal sealed class TrustWorld : IDisposable
{
    public static readonly Instant Now = At("2030-06-01T12:00:00Z");

    private readonly List<SigningKey> _made = [];

    public SigningKey Key(KeyAlgorithm algorithm = KeyAlgorithm.Ed25519)
    {
        var key = SigningKey.Generate(algorithm);
        _made.Add(key);
        return key;
    }

    public static Instant At(string time) =>
        new(DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture).ToUnixTimeMilliseconds());

    public static byte[] Canonical(string text) => Jcs.Write(
        Assert.IsType<Checked<Json>.Passed>(CanonicalJson.Read(Encoding.UTF8.GetBytes(text), 1 << 22)).Value);

    public static string Text(PublicKey key) => $$"""{"algorithm":"{{key.AlgorithmName}}","key":"{{key.Base64}}"}""";

    public static string Slot(SigningKey current, string more = "") =>
        $$"""{"current":{{Text(current.PublicKey)}}{{more}}}""";

    /// <summary>A slot in the middle of a rotation.</summary>
    public static string Slot(SigningKey current, string other, SigningKey key, string retireAt) =>
        Slot(current, $$""","{{other}}":{{Text(key.PublicKey)}},"retireAt":"{{retireAt}}" """);

    public static string Role(int threshold, params string[] slots) =>
        $$"""{"threshold":{{threshold}},"slots":[{{string.Join(',', slots)}}]}""";

    public static string Role(int threshold, params SigningKey[] keys) =>
        Role(threshold, [.. keys.Select(key => Slot(key))]);

    /// <summary>A trust file whose roles are alike unless said otherwise.</summary>
    public static byte[] Trust(string role, long version = 1, string? root = null, string more = "") => Canonical(
        $$"""
        {"schemaVersion":1,"type":"agent/trust","version":{{version}},"issuedAt":"2030-01-01T00:00:00Z"{{more}},
         "roles":{"root":{{root ?? role}},"release":{{role}},"manifest":{{role}} } }
        """);

    public static TrustFile Loaded(byte[] text) => Assert.IsType<Checked<TrustFile>.Passed>(TrustFile.Load(text)).Value;

    public static byte[] Sign(byte[] document, params SigningKey[] keys) =>
        SignatureFile.Write(keys.Select(key => SignatureFile.Sign(key, document)));

    public void Dispose() => _made.ForEach(key => key.Dispose());
}
