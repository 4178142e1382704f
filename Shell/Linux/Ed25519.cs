using System;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Agent.Shell.Linux;

/// <summary>
/// Ed25519 (RFC 8032) by OpenSSL's libcrypto, since the class library has none. It verifies strictly: S below the order
/// of the group, R compared in its canonical form. What it does not judge is the public key, which
/// <see cref="Trust.PublicKey"/> does before one comes here.
/// </summary>
internal static partial class Ed25519
{
    public const int KeyBytes = 32;
    public const int SignatureBytes = 64;

    // EVP_PKEY_ED25519, the same number in every libcrypto since 1.1.1.
    private const int KeyType = 1087;

    // The class library loads one of the same two; 3 is what distributions ship, 1.1.1 the oldest with Ed25519.
    private static readonly string[] Names = ["libcrypto.so.3", "libcrypto.so.1.1"];

    static Ed25519() => NativeLibrary.SetDllImportResolver(typeof(Ed25519).Assembly, Resolve);

    public static unsafe bool Verify(
        ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> signature, ReadOnlySpan<byte> message)
    {
        if (publicKey.Length != KeyBytes || signature.Length != SignatureBytes) return false;
        fixed (byte* key = publicKey, sig = signature, data = &Pinnable(message))
        {
            using var handle = new Key(EVP_PKEY_new_raw_public_key(KeyType, 0, key, KeyBytes));
            using var context = new Context(EVP_MD_CTX_new());
            Check(EVP_DigestVerifyInit(context.Pointer, 0, 0, 0, handle.Pointer), nameof(EVP_DigestVerifyInit));
            var verdict = EVP_DigestVerify(context.Pointer, sig, SignatureBytes, data, (nuint)message.Length);

            // A refused signature leaves its reason in the thread's queue, where the class library would find it.
            if (verdict != 1) ERR_clear_error();
            return verdict == 1;
        }
    }

    public static unsafe byte[] Sign(ReadOnlySpan<byte> seed, ReadOnlySpan<byte> message)
    {
        var signature = new byte[SignatureBytes];
        fixed (byte* to = signature, data = &Pinnable(message))
        {
            using var handle = PrivateKey(seed);
            using var context = new Context(EVP_MD_CTX_new());
            nuint length = SignatureBytes;
            Check(EVP_DigestSignInit(context.Pointer, 0, 0, 0, handle.Pointer), nameof(EVP_DigestSignInit));
            Check(EVP_DigestSign(context.Pointer, to, ref length, data, (nuint)message.Length), nameof(EVP_DigestSign));
        }

        return signature;
    }

    public static unsafe byte[] PublicKeyOf(ReadOnlySpan<byte> seed)
    {
        var publicKey = new byte[KeyBytes];
        fixed (byte* to = publicKey)
        {
            using var handle = PrivateKey(seed);
            nuint length = KeyBytes;
            Check(EVP_PKEY_get_raw_public_key(handle.Pointer, to, ref length), nameof(EVP_PKEY_get_raw_public_key));
        }

        return publicKey;
    }

    private static unsafe Key PrivateKey(ReadOnlySpan<byte> seed)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(seed.Length, KeyBytes, nameof(seed));
        fixed (byte* key = seed) return new(EVP_PKEY_new_raw_private_key(KeyType, 0, key, KeyBytes));
    }

    // An empty span pins as null, which libcrypto may take for a missing argument.
    private static ref readonly byte Pinnable(ReadOnlySpan<byte> bytes) =>
        ref MemoryMarshal.GetReference(bytes.IsEmpty ? "\0"u8 : bytes);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? paths)
    {
        if (name != "libcrypto") return 0;
        foreach (var candidate in Names)
        {
            if (NativeLibrary.TryLoad(candidate, assembly, paths, out var library)) return library;
        }

        throw new DllNotFoundException(
            $"neither {Names[0]} nor {Names[1]} is here; Ed25519 needs OpenSSL, install libssl3");
    }

    private static void Check(int result, string call)
    {
        if (result == 1) return;
        ERR_clear_error();
        throw new CryptographicException($"{call} of libcrypto failed");
    }

    private readonly ref struct Key(nint pointer)
    {
        public nint Pointer { get; } = pointer != 0
            ? pointer
            : throw new CryptographicException("libcrypto takes no such key");

        public void Dispose() => EVP_PKEY_free(Pointer);
    }

    private readonly ref struct Context(nint pointer)
    {
        public nint Pointer { get; } = pointer != 0
            ? pointer
            : throw new InsufficientMemoryException("EVP_MD_CTX_new of libcrypto failed");

        public void Dispose() => EVP_MD_CTX_free(Pointer);
    }

    [LibraryImport("libcrypto")]
    private static unsafe partial nint EVP_PKEY_new_raw_public_key(int type, nint engine, byte* key, nuint length);

    [LibraryImport("libcrypto")]
    private static unsafe partial nint EVP_PKEY_new_raw_private_key(int type, nint engine, byte* key, nuint length);

    [LibraryImport("libcrypto")]
    private static unsafe partial int EVP_PKEY_get_raw_public_key(nint key, byte* to, ref nuint length);

    [LibraryImport("libcrypto")]
    private static partial void EVP_PKEY_free(nint key);

    [LibraryImport("libcrypto")]
    private static partial nint EVP_MD_CTX_new();

    [LibraryImport("libcrypto")]
    private static partial void EVP_MD_CTX_free(nint context);

    [LibraryImport("libcrypto")]
    private static partial int EVP_DigestVerifyInit(nint context, nint keyContext, nint digest, nint engine, nint key);

    [LibraryImport("libcrypto")]
    private static unsafe partial int EVP_DigestVerify(
        nint context, byte* signature, nuint signatureLength, byte* data, nuint dataLength);

    [LibraryImport("libcrypto")]
    private static partial int EVP_DigestSignInit(nint context, nint keyContext, nint digest, nint engine, nint key);

    [LibraryImport("libcrypto")]
    private static unsafe partial int EVP_DigestSign(
        nint context, byte* signature, ref nuint signatureLength, byte* data, nuint dataLength);

    [LibraryImport("libcrypto")]
    private static partial void ERR_clear_error();
}
