using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Agent.Shell.Linux;
using Agent.Shell.Trust;

namespace Agent.Shell.Manifests;

/// <summary>A document and the signatures beside it, as whoever publishes writes them.</summary>
internal static class SignedFile
{
    public const string Suffix = ".sig";

    /// <summary>Writes a document in its canonical form; signatures of what stood there before go.</summary>
    public static byte[] Write(string path, Json document)
    {
        var bytes = Jcs.Write(document);
        Files.Replace(path, bytes);
        File.Delete(path + Suffix);
        return bytes;
    }

    /// <summary>Adds a key's signature over the file's bytes to those that are there; one of the same key is replaced.</summary>
    public static Refusal? Sign(string path, SigningKey key, int cap)
    {
        var document = Read(path, cap);
        if (CanonicalJson.ReadCanonical(document, cap).Failed(out _, out var why)) return why;
        var signatures = new List<DetachedSignature>();
        if (File.Exists(path + Suffix))
        {
            if (SignatureFile.Read(Read(path + Suffix, SignatureFile.MaxBytes)).Failed(out var known, out why)) return why;
            signatures.AddRange(known.Signatures.Where(one => one.KeyId != key.PublicKey.KeyId));
        }

        signatures.Add(SignatureFile.Sign(key, document));
        Files.Replace(path + Suffix, SignatureFile.Write(signatures.OrderBy(one => one.KeyId, StringComparer.Ordinal)));
        return null;
    }

    /// <summary>
    /// Puts a document and its signatures in the place of others. Whoever reads between the two finds the old signatures
    /// beside the new document, and refuses it.
    /// </summary>
    public static void Install(string path, byte[] document, byte[] signatures)
    {
        Files.Replace(path, document);
        Files.Replace(path + Suffix, signatures);
    }

    /// <summary>At most one byte more than the cap, so that a larger file is judged as one.</summary>
    public static byte[] Read(string path, int cap)
    {
        using var file = File.OpenRead(path);
        var bytes = new byte[Math.Min(file.Length, cap + 1L)];
        file.ReadExactly(bytes);
        return bytes;
    }
}
