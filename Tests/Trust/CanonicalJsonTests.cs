using System;
using System.Linq;
using System.Text;
using Agent.Shell.Trust;
using Xunit;

namespace Agent.Tests.Trust;

public sealed class CanonicalJsonTests
{
    private const int Cap = 1 << 20;

    // What JSONTestSuite leaves to the reader, and what this one does.
    private const string ImplementationDefined =
        """
        i_number_double_huge_neg_exp passes
        i_number_huge_exp number-out-of-range
        i_number_neg_int_huge_exp number-out-of-range
        i_number_pos_double_huge_exp number-out-of-range
        i_number_real_neg_overflow number-out-of-range
        i_number_real_pos_overflow number-out-of-range
        i_number_real_underflow passes
        i_number_too_big_neg_int passes
        i_number_too_big_pos_int passes
        i_number_very_big_negative_int passes
        i_object_key_lone_2nd_surrogate lone-surrogate
        i_string_1st_surrogate_but_2nd_missing lone-surrogate
        i_string_1st_valid_surrogate_2nd_invalid lone-surrogate
        i_string_UTF-16LE_with_BOM not-utf8
        i_string_UTF-8_invalid_sequence not-utf8
        i_string_UTF8_surrogate_U+D800 not-utf8
        i_string_incomplete_surrogate_and_escape_valid lone-surrogate
        i_string_incomplete_surrogate_pair lone-surrogate
        i_string_incomplete_surrogates_escape_valid lone-surrogate
        i_string_invalid_lonely_surrogate lone-surrogate
        i_string_invalid_surrogate lone-surrogate
        i_string_invalid_utf-8 not-utf8
        i_string_inverted_surrogates_U+1D11E lone-surrogate
        i_string_iso_latin_1 not-utf8
        i_string_lone_second_surrogate lone-surrogate
        i_string_lone_utf8_continuation_byte not-utf8
        i_string_not_in_unicode_range not-utf8
        i_string_overlong_sequence_2_bytes not-utf8
        i_string_overlong_sequence_6_bytes not-utf8
        i_string_overlong_sequence_6_bytes_null not-utf8
        i_string_truncated-utf-8 not-utf8
        i_string_utf16BE_no_BOM not-utf8
        i_string_utf16LE_no_BOM not-utf8
        i_structure_500_nested_arrays too-deep
        i_structure_UTF-8_BOM_empty_object not-utf8
        """;

    /// TR-2: all that JSON allows is read, but for the two texts that give a key twice.
    [SkippableFact]
    public void What_must_be_accepted_is()
    {
        var files = Vectors.Files("json-test-suite", "y_*.json");
        Assert.Equal(95, files.Count);
        Assert.Equal(
            ["y_object_duplicated_key duplicate-key", "y_object_duplicated_key_and_value duplicate-key"],
            files.Select(file => $"{file.Name} {Outcome(file.Bytes)}")
                .Where(line => !line.EndsWith(" passes", StringComparison.Ordinal)));
    }

    /// TR-2: nothing that JSON forbids is read.
    [SkippableFact]
    public void What_must_be_refused_is()
    {
        var files = Vectors.Files("json-test-suite", "n_*.json");
        Assert.Equal(188, files.Count);
        Assert.All(files, file => Assert.Contains(Outcome(file.Bytes), (string[])["not-json", "not-utf8"]));
    }

    /// TR-2: what the suite leaves open is decided once, here.
    [SkippableFact]
    public void What_is_left_open_is_decided() => Assert.Equal(
        ImplementationDefined.Split('\n'),
        Vectors.Files("json-test-suite", "i_*.json").Select(file => $"{file.Name} {Outcome(file.Bytes)}"));

    /// TR-2: each breach has its own code, and where there are several the first in the order of checks is told.
    [Theory]
    [InlineData("""{"a":1,"a":1}""", "duplicate-key")]
    [InlineData("""{"a":1,"\u0061":1}""", "duplicate-key")]
    [InlineData("""{"a":1,"a":1,}""", "not-json")]
    [InlineData("""[1e309]""", "number-out-of-range")]
    [InlineData("""["\ud83d"]""", "lone-surrogate")]
    [InlineData("""{"\ude00":1}""", "lone-surrogate")]
    [InlineData("""["\ud83d\ude00"]""", "passes")]
    [InlineData("""[1]//""", "not-json")]
    [InlineData("""[1] [2]""", "not-json")]
    [InlineData("", "not-json")]
    public void A_breach_has_its_code(string text, string outcome) =>
        Assert.Equal(outcome, Outcome(Encoding.UTF8.GetBytes(text)));

    /// TR-2: the size is judged before a byte is read.
    [Fact]
    public void The_size_comes_first()
    {
        byte[] invalid = [0xff, 0xff, 0xff];
        Assert.Equal("too-large", Outcome(invalid, 2));
        Assert.Equal("not-utf8", Outcome(invalid, 3));
        Assert.Equal("passes", Outcome("[1]"u8.ToArray(), 3));
    }

    /// TR-2: sixty-four levels are read, one more is refused, and a hundred thousand cost no stack.
    [Theory]
    [InlineData(64, "passes")]
    [InlineData(65, "too-deep")]
    [InlineData(100_000, "too-deep")]
    public void Depth_is_bounded(int depth, string outcome)
    {
        Assert.Equal(outcome, Outcome(Encoding.ASCII.GetBytes(new string('[', depth) + new string(']', depth))));
        Assert.Equal(outcome, Outcome(Encoding.ASCII.GetBytes(
            string.Concat(Enumerable.Repeat("""{"a":""", depth)) + "0" + new string('}', depth))));
    }

    /// TR-2: a number is an integer only where the double says exactly what the text said.
    [Theory]
    [InlineData("9007199254740991", 9007199254740991)]
    [InlineData("-9007199254740991", -9007199254740991)]
    [InlineData("9007199254740992", null)]
    [InlineData("9007199254740993", null)]
    [InlineData("1.5", null)]
    [InlineData("1e2", 100L)]
    [InlineData("1e300", null)]
    public void An_integer_is_exact_or_none(string text, long? expected)
    {
        var read = Assert.IsType<Checked<Json>.Passed>(CanonicalJson.Read(Encoding.ASCII.GetBytes(text), Cap));
        Assert.Equal(expected, Assert.IsType<Json.Number>(read.Value).Integer);
    }

    /// TR-1: a text in any form but the canonical one is refused.
    [Theory]
    [InlineData("""{"a":1,"b":2}""", true)]
    [InlineData("""{"b":2,"a":1}""", false)]
    [InlineData("""{"a":1, "b":2}""", false)]
    [InlineData("{\"a\":1}\n", false)]
    [InlineData("1.0", false)]
    [InlineData("-0", false)]
    [InlineData("0.1e1", false)]
    [InlineData("\"\\u0061\"", false)]
    [InlineData("\"\\/\"", false)]
    public void There_is_one_canonical_form(string text, bool canonical)
    {
        Assert.Equal(canonical, CanonicalJson.IsCanonical(Encoding.UTF8.GetBytes(text)));
        if (canonical) return;
        var refused = Assert.IsType<Checked<Json>.Refused>(
            CanonicalJson.ReadCanonical(Encoding.UTF8.GetBytes(text), Cap));
        Assert.Equal(TrustFault.NotCanonical, refused.Why.Fault);
    }

    /// TR-2: whatever the bytes are, the answer is a value.
    [Fact]
    public void Damage_of_any_kind_is_answered()
    {
        var random = new Random(54);
        var good = Encoding.UTF8.GetBytes("""{"a":[1.5e-7,"\ud83d\ude00é",null,true,{"b":{}}],"c":"\\n"}""");
        for (var round = 0; round < 200_000; round++)
        {
            var text = good.ToArray();
            for (var left = random.Next(1, 4); left > 0; left--) text[random.Next(text.Length)] = (byte)random.Next(256);
            var cut = random.Next(text.Length + 1);
            if (!CanonicalJson.Read(text.AsSpan(0, cut), Cap).Failed(out var tree, out _))
            {
                Assert.True(CanonicalJson.IsCanonical(Jcs.Write(tree)));
            }
        }
    }

    private static string Outcome(byte[] text, int cap = Cap) =>
        CanonicalJson.Read(text, cap).Failed(out _, out var why) ? TrustFaults.NameOf(why.Fault) : "passes";
}
