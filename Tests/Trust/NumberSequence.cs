using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Security.Cryptography;

namespace Agent.Tests.Trust;

/// <summary>
/// The number sequence that is published beside RFC 8785 with digests of its lines: edge cases chosen by hand, then
/// 2,000 doubles around the smallest normal one, then doubles out of a chain of SHA-256.
/// </summary>
internal static class NumberSequence
{
    private const int SerialCount = 2000;
    private const ulong SmallestNormal = 0x0010000000000000;

    // Thirds from 10^21 down to 10^-28, as the sequence has them; they come negative first, then positive.
    private const string Thirds =
        """
        446696695dbd1cc3 443211ede4974a35 43fce97ca0f21056 43c7213080c1a6ac 439280f39a348556 435d9b1f5d20d557
        4327af4c4a80aaac 42f2f2a36ecd5556 42be51057e155558 428840d131aaaaac 4253670dc1555557 421f0b4935555557
        41e8d5d42aaaaaac 41b3de4355555556 417fca0555555556 41496e6aaaaaaaab 4114585555555555 40e046aaaaaaaaab
        40aa0aaaaaaaaaaa 4074d55555555555 4040aaaaaaaaaaab 400aaaaaaaaaaaab 3fd5555555555555 3fa1111111111111
        3f6b4e81b4e81b4f 3f35d867c3ece2a5 3f0179ec9cbd821e 3ecbf647612f3696 3e965e9f80f29212 3e61e54c672874db
        3e2ca213d840baf8 3df6e80fe033c8c6 3dc2533fe68fd3d2 3d8d51ffd74c861c 3d5774ccac3d3817 3d22c3d6f030f9ac
        3cee0624b3818f79 3cb804ea293472c7 3c833721ba905bd3 3c4ebe9c5db3c61e 3c18987d17c304e5 3be3ad30dfcf371d
        3baf7b816618582f 3b792f9ab81379bf 3b442615600f9499 3b101e77800c76e1 3ad9ca58cce0be35 3aa4a1e0a3e6fe90
        3a708180831f320d 3a3a68cd9e985016
        """;

    private const string Edges =
        """
        10 5 0.5 0.05 0.005 0.0005 5e-5 5e-6 5e-7 5e-8 5e-9
        5.06e-6 5.006e-6 5.0006e-6 5.00006e-6 5.000006e-6 5.0000006e-6 5.00000006e-6 5.000000006e-6 5.0000000006e-6
        5.00000000006e-6 5.000000000006e-6 5.0000000000006e-6 5.00000000000006e-6 5.000000000000006e-6 5e-6
        1 -1 -0.9999999999999993 -0.9999999999999994 0.9999999999999993 0.9999999999999994 0.9999999999999996
        0.9999999999999998 -0.9999999999999999 -0.9999999999999999 0.9999999999999999 0.9999999999999999
        0.29999999999999993 0.3 0.30000000000000004 2.2250738585072014e-308 2.2250738585072e-308 2.225073858507201e-308
        1.7976931348623157e+308 -1.7976931348623157e+308 9007199254740992 -9007199254740992 295147905179352830000
        9.999999999999997e22 1e23 1.0000000000000001e23 9.999999999999997e20 9.999999999999999e20 1e21
        9.999999999999997e-7 1e-6 333333333.3333332 333333333.33333325 333333333.3333333 333333333.3333334
        333333333.33333343 -3.3333333333333333e-6 1424953923781206.2
        """;

    public static IEnumerable<double> All()
    {
        double[] least = [0, -0.0, double.Epsilon, -double.Epsilon];
        var thirds = Words(Thirds).Select(word => Double(Convert.ToUInt64(word, 16))).ToList();
        var edges = Words(Edges).Select(word => double.Parse(word, CultureInfo.InvariantCulture));
        var serial = Enumerable.Range(0, SerialCount).Select(at => Double(SmallestNormal + (ulong)at));
        return least.Concat(thirds.Select(third => -third)).Concat(thirds).Concat(edges).Concat(serial).Concat(Chained());
    }

    private static IEnumerable<double> Chained()
    {
        var block = new byte[SHA256.HashSizeInBytes];
        while (true)
        {
            block = SHA256.HashData(block);
            for (var at = 0; at < block.Length; at += sizeof(ulong))
            {
                var value = Double(BinaryPrimitives.ReadUInt64LittleEndian(block.AsSpan(at)));
                if (double.IsFinite(value) && value != 0) yield return value;
            }
        }
    }

    private static double Double(ulong bits) => BitConverter.UInt64BitsToDouble(bits);

    private static string[] Words(string table) => table.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
}
