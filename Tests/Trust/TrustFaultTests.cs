using System;
using System.Linq;
using System.Text;
using Agent.Shell.Trust;
using Xunit;

namespace Agent.Tests.Trust;

public sealed class TrustFaultTests
{
    /// TR-2: each refusal has its own name, which is the member's in kebab case.
    [Fact]
    public void Every_fault_has_a_name_of_its_own()
    {
        var faults = Enum.GetValues<TrustFault>();
        Assert.Equal(faults.Length, faults.Select(TrustFaults.NameOf).Distinct().Count());
        Assert.All(faults, fault => Assert.Equal(Kebab(fault.ToString()), TrustFaults.NameOf(fault)));
    }

    private static string Kebab(string name) => name.Aggregate(
        new StringBuilder(),
        (text, letter) => (char.IsUpper(letter) && text.Length > 0 ? text.Append('-') : text)
            .Append(char.ToLowerInvariant(letter)),
        text => text.ToString());
}
