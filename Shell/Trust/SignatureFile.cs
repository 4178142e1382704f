using System;
using System.Collections.Generic;
using System.Linq;

namespace Agent.Shell.Trust;

/// <summary>One signature and whose it says it is. The id only helps to find the key.</summary>
internal sealed record DetachedSignature(string KeyId, ReadOnlyMemory<byte> Bytes);

/// <summary>
/// The signatures of a document, in a file of their own beside it (<c>X.sig</c> of <c>X</c>):
/// <c>{"schemaVersion":1,"signatures":[{"keyId":"…","signature":"base64"}]}</c> in canonical form. What is signed is
/// the document's bytes as they are sent. Nothing here says with which algorithm: that is the trust file's to say.
/// </summary>
internal sealed class SignatureFile
{
    /// <summary>Two for each slot that a role may have: during a rotation both keys of a slot may sign.</summary>
    public const int MaxSignatures = 2 * TrustRole.MaxSlots;

    /// <summary>More than twice what that many signatures take.</summary>
    public const int MaxBytes = 16 * 1024;

    private SignatureFile(IReadOnlyList<DetachedSignature> signatures) => Signatures = signatures;

    /// <summary>At least one.</summary>
    public IReadOnlyList<DetachedSignature> Signatures { get; }

    /// <summary>
    /// Refused: <c>no-signatures</c> for no bytes or an empty list, <c>bad-signature-file</c> for everything else.
    /// </summary>
    public static Checked<SignatureFile> Read(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty) return new Refusal(TrustFault.NoSignatures, "there is no signature");
        if (CanonicalJson.ReadCanonical(text, MaxBytes).Failed(out var tree, out var why)) return Bad(why);
        var fields = Fields.Of(tree);
        fields.Integer("schemaVersion", 1, 1);
        var signatures = fields.Objects("signatures", MaxSignatures).Select(ReadOne).ToList();
        fields.NoOthers();
        if (fields.Refusal is { } breach) return Bad(breach);
        return signatures.Count > 0
            ? new SignatureFile(signatures)
            : new Refusal(TrustFault.NoSignatures, "the list of signatures is empty");
    }

    /// <summary>The file for signatures just made.</summary>
    public static byte[] Write(IEnumerable<DetachedSignature> signatures) => Jcs.Write(new Json.Object(
    [
        new("schemaVersion", new Json.Number(1)),
        new("signatures", new Json.Array([.. signatures.Select(WriteOne)])),
    ]));

    /// <summary>What a key adds to the file of a document.</summary>
    public static DetachedSignature Sign(SigningKey key, ReadOnlySpan<byte> document) =>
        new(key.PublicKey.KeyId, key.Sign(document));

    private static DetachedSignature ReadOne(Fields fields)
    {
        var keyId = fields.String("keyId");
        var bytes = Base64Text.Decode(fields.String("signature"));
        if (bytes is null) fields.Refuse("signature", "is not plain base64");
        fields.NoOthers();
        return new(keyId, bytes);
    }

    private static Json.Object WriteOne(DetachedSignature signature) => new(
    [
        new("keyId", new Json.String(signature.KeyId)),
        new("signature", new Json.String(Convert.ToBase64String(signature.Bytes.Span))),
    ]);

    private static Refusal Bad(Refusal why) => new(TrustFault.BadSignatureFile, why.ToString());
}
