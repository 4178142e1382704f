using System;
using System.Collections.Generic;
using System.Linq;
using System.Numerics;
using System.Text;
using Agent.Shell.Manifests;
using Agent.Shell.Trust;
using Agent.Tests.Trust;

namespace Agent.Tests.Manifests;

/// <summary>On the signatures beside a manifest that is good in itself.</summary>
internal static class SignatureAttacks
{
    // The order of Ed25519's group: S and S + L sign alike for a verifier that does not bound S.
    private static readonly BigInteger L = BigInteger.Pow(2, 252) + BigInteger.Parse(
        "27742317777372353535851937790883648493", System.Globalization.CultureInfo.InvariantCulture);

    public static IReadOnlyList<Attack> All { get; } =
    [
        Damaged("one byte short", bytes => bytes[..^1]),
        Damaged("empty", _ => []),
        Damaged("one byte more", bytes => [.. bytes, 0]),
        Damaged("one bit flipped", bytes => [(byte)(bytes[0] ^ 1), .. bytes[1..]]),
        Damaged("all zero", _ => new byte[64]),
        Damaged("malleated, S + L", Malleated),
        Damaged("over other bytes", (world, _) => world.Signers[0].Sign("other"u8)),
        Attack.Offer("invalid signature", "by the signers, of another manifest", "signature-invalid", world =>
            world.Bundle(Document(world), TrustWorld.Sign(ManifestWorld.Bytes(world.Manifest(7)), world.Signers))),
        Attack.Offer("invalid signature", "ECDSA in DER, which has many forms", "signature-invalid", world => Signed(
            world, SignatureFile.Sign(world.Signers[0], Document(world)), Der(world))),

        Raw("no signature", "an empty file", "no-signatures", ""),
        Raw("no signature", "an empty list", "no-signatures", """{"schemaVersion":1,"signatures":[]}"""),
        Raw("malformed signature file", "no JSON", "bad-signature-file", "AAAA"),
        Raw("malformed signature file", "loose bits of base64", "bad-signature-file",
            One("\"keyId\":\"a\",\"signature\":\"AB==\"")),
        Raw("malformed signature file", "a list of one more than may be", "bad-signature-file",
            One(string.Join("},{", Enumerable.Repeat("", SignatureFile.MaxSignatures + 1)))),
        Raw("malformed signature file", "larger than may be", "bad-signature-file",
            new string(' ', SignatureFile.MaxBytes + 1)),
        Raw("malformed signature file", "a key of it twice", "bad-signature-file",
            One("\"keyId\":\"a\",\"keyId\":\"b\",\"signature\":\"\"")),
        Raw("malformed signature file", "it names its algorithm, none", "bad-signature-file",
            One("\"alg\":\"none\",\"keyId\":\"a\",\"signature\":\"\"")),
        Raw("malformed signature file", "it brings its key", "bad-signature-file",
            One("\"key\":\"\",\"keyId\":\"a\",\"signature\":\"\"")),

        TooFew("one signer", world => [world.Signers[0]]),
        TooFew("one signer twice", world => [world.Signers[0], world.Signers[0]]),
        TooFew("one signer and the key of another role", world => [world.Signers[0], world.Releaser]),
        TooFew("a compromised key beside strangers", world => [world.Signers[0], world.Key(), world.Key()]),
        TooFew("nobody known", world => [world.Key(), world.Key()]),
        Attack.Offer("too few signers", "one key under two ids", "threshold-not-met", world => Signed(
            world, SignatureFile.Sign(world.Signers[0], Document(world)),
            new("another", world.Signers[0].Sign(Document(world))))),
        Attack.Offer("too few signers", "the descriptor, by one who signs manifests", "threshold-not-met", world =>
            world.Good(Attack.Next) with
            {
                ReleaseSignatures = TrustWorld.Sign(ManifestWorld.Bytes(world.Descriptor()), world.Signers[2]),
            }),
        Attack.Offer("no signature", "the descriptor without", "no-signatures", world =>
            world.Good(Attack.Next) with { ReleaseSignatures = null }),
    ];

    private static byte[] Document(ManifestWorld world) => ManifestWorld.Bytes(world.Manifest(Attack.Next));

    private static Attack Damaged(string how, Func<byte[], byte[]> damage) => Damaged(how, (_, bytes) => damage(bytes));

    private static Attack Damaged(string how, Func<ManifestWorld, byte[], byte[]> damage) => Attack.Offer(
        "invalid signature", how, "signature-invalid", world =>
        {
            var document = Document(world);
            var bytes = damage(world, world.Signers[0].Sign(document));
            return world.Bundle(document, SignatureFile.Write(
                [new(world.Signers[0].PublicKey.KeyId, bytes), SignatureFile.Sign(world.Signers[1], document)]));
        });

    private static Attack TooFew(string who, Func<ManifestWorld, SigningKey[]> signers) => Attack.Offer(
        "too few signers", who, "threshold-not-met", world =>
        {
            var document = Document(world);
            return world.Bundle(document, TrustWorld.Sign(document, signers(world)));
        });

    private static Attack Raw(string of, string what, string code, string signatures) =>
        Attack.Offer(of, what, code, world => world.Bundle(Document(world), Encoding.UTF8.GetBytes(signatures)));

    private static string One(string members) => $$"""{"schemaVersion":1,"signatures":[{{{members}}}]}""";

    private static Bundle Signed(ManifestWorld world, params DetachedSignature[] signatures) =>
        world.Bundle(Document(world), SignatureFile.Write(signatures));

    private static byte[] Malleated(byte[] signature)
    {
        var s = new BigInteger(signature.AsSpan(32), isUnsigned: true) + L;
        var bytes = s.ToByteArray(isUnsigned: true);
        return [.. signature[..32], .. bytes, .. new byte[32 - bytes.Length]];
    }

    /// <summary>The same r and s as two integers of a sequence.</summary>
    private static DetachedSignature Der(ManifestWorld world)
    {
        var flat = world.Signers[1].Sign(Document(world));
        var writer = new System.Formats.Asn1.AsnWriter(System.Formats.Asn1.AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(new BigInteger(flat.AsSpan(..32), isUnsigned: true, isBigEndian: true));
            writer.WriteInteger(new BigInteger(flat.AsSpan(32..), isUnsigned: true, isBigEndian: true));
        }

        return new(world.Signers[1].PublicKey.KeyId, writer.Encode());
    }
}
