using System;
using System.Numerics;

namespace Agent.Shell.Trust;

/// <summary>
/// What makes 32 bytes a good Ed25519 public key: the canonical form of a point on the curve -x² + y² = 1 + dx²y²
/// whose order is not small. Only public values are computed with, once for each key of a trust file.
/// </summary>
internal static class Curve25519
{
    private static readonly BigInteger P = BigInteger.Pow(2, 255) - 19;
    private static readonly BigInteger D = Modulo(-121665 * Inverse(121666));
    private static readonly BigInteger RootOfMinusOne = BigInteger.ModPow(2, (P - 1) / 4, P);

    /// <summary>Why these bytes are no public key, or null.</summary>
    public static string? Fault(ReadOnlySpan<byte> key)
    {
        if (key.Length != Linux.Ed25519.KeyBytes) return "an Ed25519 key is 32 bytes";
        var encoded = new BigInteger(key, isUnsigned: true);
        var negative = encoded >> 255 == 1;
        var y = encoded & ((BigInteger.One << 255) - 1);
        if (y >= P) return "it is not in its canonical form";
        if (SquareRoot((y * y - 1) * Inverse(D * y * y + 1)) is not { } x) return "it is not on the curve of Ed25519";
        if (x.IsZero && negative) return "it is not in its canonical form";
        return IsSmall(x, y) ? "it is a point of small order, for which anybody can sign" : null;
    }

    /// <summary>
    /// Whether eight times the point is the neutral element (0, 1). The sign of x does not matter for it, as a point
    /// and its opposite have the same order.
    /// </summary>
    private static bool IsSmall(BigInteger x, BigInteger y)
    {
        for (var doublings = 0; doublings < 3; doublings++)
        {
            var product = Modulo(D * x * x * y * y);
            (x, y) = (
                Modulo(2 * x * y * Inverse(1 + product)),
                Modulo((y * y + x * x) * Inverse(1 - product)));
        }

        return x.IsZero && y.IsOne;
    }

    /// <summary>A square root modulo P or null; as P is 5 modulo 8, one of two candidates is it.</summary>
    private static BigInteger? SquareRoot(BigInteger square)
    {
        square = Modulo(square);
        var root = BigInteger.ModPow(square, (P + 3) / 8, P);
        if (Modulo(root * root) == square) return root;
        root = Modulo(root * RootOfMinusOne);
        return Modulo(root * root) == square ? root : null;
    }

    private static BigInteger Inverse(BigInteger value) => BigInteger.ModPow(Modulo(value), P - 2, P);

    private static BigInteger Modulo(BigInteger value) => (value % P + P) % P;
}
