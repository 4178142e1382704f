using System;
using System.Linq;
using System.Text;
using Agent.Shell.Pki;
using Xunit;

namespace Agent.Tests.Pki;

public sealed class PkiFaultTests
{
    /// WI-2: each refusal has its own name, which is the member's in kebab case, and a status.
    [Fact]
    public void Every_fault_has_a_name_of_its_own()
    {
        var faults = Enum.GetValues<PkiFault>();
        Assert.Equal(faults.Length, faults.Select(PkiFaults.NameOf).Distinct().Count());
        Assert.All(faults, fault => Assert.Equal(Kebab(fault.ToString()), PkiFaults.NameOf(fault)));
        Assert.All(faults, fault => Assert.InRange(PkiFaults.StatusOf(fault), 400, 500));
    }

    /// SE-1: a stranger's text in a message cannot write over a terminal, and its length has an end.
    [Fact]
    public void Messages_hold_no_control_characters()
    {
        var refusal = new PkiRefused(PkiFault.CsrName, "\u001b[2J\n" + new string('x', 10_000));
        Assert.DoesNotContain(refusal.Message, char.IsControl);
        Assert.InRange(refusal.Message.Length, 600, 650);
        Assert.Same(refusal, PkiRefused.Of(new InvalidOperationException("outer", refusal)));
        Assert.Null(PkiRefused.Of(new InvalidOperationException("other")));
    }

    private static string Kebab(string name) => name.Aggregate(
        new StringBuilder(),
        (text, letter) => (char.IsUpper(letter) && text.Length > 0 ? text.Append('-') : text)
            .Append(char.ToLowerInvariant(letter)),
        text => text.ToString());
}
