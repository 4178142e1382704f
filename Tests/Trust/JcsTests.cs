using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using Agent.Shell.Trust;
using Xunit;

namespace Agent.Tests.Trust;

public sealed class JcsTests
{
    /// TR-1: numbers are written as ECMAScript writes them; the digests are those published with the sequence.
    [Fact]
    public void A_million_numbers_are_written_as_published()
    {
        var expected = new Dictionary<int, string>
        {
            [1_000] = "be18b62b6f69cdab33a7e0dae0d9cfa869fda80ddc712221570f9f40a5878687",
            [10_000] = "b9f7a8e75ef22a835685a52ccba7f7d6bdc99e34b010992cbc5864cd12be6892",
            [100_000] = "22776e6d4b49fa294a0d0f349268e5c28808fe7e0cb2bcbe28f63894e494d4c7",
            [1_000_000] = "49415fee2c56c77864931bd3624faad425c3c577d6d74e89a83bc725506dad16",
        };
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var lines = 0;
        foreach (var value in NumberSequence.All().Take(1_000_000))
        {
            var bits = BitConverter.DoubleToUInt64Bits(value);
            digest.AppendData(Encoding.ASCII.GetBytes(string.Create(
                CultureInfo.InvariantCulture, $"{bits:x},{Jcs.Number(value)}\n")));
            if (expected.TryGetValue(++lines, out var published))
            {
                Assert.Equal(published, Convert.ToHexStringLower(digest.GetCurrentHash()));
            }
        }
    }

    /// TR-1: the published pairs of a text and its canonical form.
    [SkippableFact]
    public void The_published_texts_are_written_as_published()
    {
        var wanted = Vectors.Files("jcs/output");
        Assert.Equal(6, wanted.Count);
        Assert.All(Vectors.Files("jcs/input").Zip(wanted), pair =>
        {
            Assert.Equal(pair.Item2.Name, pair.Item1.Name);
            Assert.Equal(pair.Item2.Bytes, Jcs.Write(Read(pair.Item1.Bytes)));
            Assert.True(CanonicalJson.IsCanonical(pair.Item2.Bytes));
            Assert.False(CanonicalJson.IsCanonical(pair.Item1.Bytes));
        });
    }

    /// TR-1: keys stand in the order of their UTF-16 units, in which an emoji comes before U+FB33.
    [Fact]
    public void Keys_are_in_the_order_of_their_units() => Assert.Equal(
        "{\"\":0,\"1\":0,\"B\":0,\"a\":0,\"\u00f6\":0,\"\ud83d\ude00\":0,\"\ufb33\":0}",
        Rewritten("""{"\ufb33":0,"\ud83d\ude00":0,"\u00f6":0,"a":0,"B":0,"1":0,"":0}"""));

    /// TR-1: only what must be escaped is, in the shortest way.
    [Fact]
    public void Strings_have_the_fewest_escapes() => Assert.Equal(
        """["\b\t\n\f\r\"\\\u0000\u001f","/€é"]""",
        Rewritten("""[ "\u0008\t\n\f\r\"\\\u0000\u001F", "\/\u20ac\u00e9" ]"""));

    /// TR-1: what JSON cannot say is not written as something else.
    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void A_number_that_is_not_finite_is_not_written(double value) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Jcs.Number(value));

    /// TR-1: half of a surrogate pair has no UTF-8 form.
    [Fact]
    public void Half_of_a_surrogate_pair_is_not_written() =>
        Assert.Throws<EncoderFallbackException>(() => Jcs.Write(new Json.String("\ud800")));

    private static string Rewritten(string text) =>
        Encoding.UTF8.GetString(Jcs.Write(Read(Encoding.UTF8.GetBytes(text))));

    private static Json Read(byte[] text) =>
        Assert.IsType<Checked<Json>.Passed>(CanonicalJson.Read(text, 1 << 20)).Value;
}
