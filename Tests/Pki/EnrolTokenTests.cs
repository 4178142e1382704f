using System;
using System.Linq;
using System.Security.Cryptography;
using Agent.Shell.Pki;
using Xunit;

namespace Agent.Tests.Pki;

public sealed class EnrolTokenTests
{
    private static readonly byte[] Fingerprint = SHA256.HashData("authority"u8);

    /// WI-1: a token reads back as it was given out, is not like another, and hides its secret.
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

    /// WI-1: only the right secret, in its time, for its host; a stranger is told nothing of grants.
    [Fact]
    public void A_grant_lets_in_what_it_was_made_for()
    {
        var (token, now) = (EnrolToken.New(Fingerprint), PlaneWorld.Start);
        var grant = new EnrolGrant(EnrolToken.HashOf(token.Secret), PlaneWorld.Web, now + TimeSpan.FromHours(1));
        grant.Check(token.Secret, PlaneWorld.Web, now);
        var stranger = EnrolToken.New(Fingerprint).Secret;
        Assert.Equal(PkiFault.TokenUnknown, Fault(() => grant.Check(stranger, PlaneWorld.Database, grant.ExpiresAt)));
        Assert.Equal(PkiFault.TokenExpired, Fault(() => grant.Check(token.Secret, PlaneWorld.Web, grant.ExpiresAt)));
        Assert.Equal(PkiFault.TokenHost, Fault(() => grant.Check(token.Secret, PlaneWorld.Database, now)));
        Assert.Equal(PkiFault.TokenGarbled, Fault(() => grant.Check("x", PlaneWorld.Web, now)));
    }

    private static PkiFault Fault(Action act) => Assert.Throws<PkiRefused>(act).Fault;
}
