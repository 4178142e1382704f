using System;
using System.Linq;
using System.Security.Cryptography;
using Agent.Shell.Pki;
using Xunit;

namespace Agent.Tests.Pki;

public sealed class EnrolTokenTests
{
    private static readonly byte[] Fingerprint = SHA256.HashData("authority"u8);

    /// WI-1: a token reads back as it was given out, is not like another, and hides its secret. Upstream: secret hidden
    /// in debug (auth), salted hash (auth).
    [Fact]
    public void A_token_reads_back()
    {
        var token = EnrolToken.New(Fingerprint);
        var read = EnrolToken.Parse(token.Reveal());
        Assert.Equal((token.Secret, 87), (read.Secret, token.Reveal().Length));
        Assert.Equal(Fingerprint, read.Fingerprint.ToArray());
        Assert.NotEqual(token.Secret, EnrolToken.New(Fingerprint).Secret);
        Assert.DoesNotContain(token.Secret, token.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(token.Secret, EnrolToken.HashOf(token.Secret), StringComparison.Ordinal);
    }

    /// WI-1, SE-1: whatever else there is in its place is garbled, and is not repeated in the message.
    [Fact]
    public void All_but_the_one_form_is_garbled()
    {
        var good = EnrolToken.New(Fingerprint).Reveal();
        string[] bad =
        [
            "", ".", good[..^1], good + "A", " " + good, good + "\n", good.Replace('.', ':'), good + ".", "." + good,
            good[..43] + "." + good[..43] + "." + good[..43], new string('é', 43) + "." + good[44..],
            "=" + good[1..], new string('A', 1 << 20),

            // The same bytes with loose bits at the end.
            good[..42] + Convert.ToChar(good[42] + 1) + good[43..],
        ];
        foreach (var text in bad)
        {
            var refusal = Assert.Throws<PkiRefused>(() => EnrolToken.Parse(text));
            Assert.Equal(PkiFault.TokenGarbled, refusal.Fault);
            Assert.DoesNotContain(good[..43], refusal.Message, StringComparison.Ordinal);
        }

        Assert.All(
            Enumerable.Range(0, good.Length).Where(at => at != 43),
            at => Assert.Throws<PkiRefused>(() => EnrolToken.Parse(good[..at] + "*" + good[(at + 1)..])));
    }
}
