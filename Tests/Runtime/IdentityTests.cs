using System.Collections.Generic;
using System.Linq;
using Agent.Core.Model;
using Agent.Shell.Effects;
using Agent.Shell.Linux;
using Xunit;

namespace Agent.Tests.Runtime;

/// <summary>What a process is called, and whom a signal may never be sent to.</summary>
public sealed class IdentityTests
{
    /// PR-3, upstream mint_id_unique_and_sized, base32_is_lowercase_topic_safe, base32_distinct_for_distinct_input,
    /// base32_known_vector: of its letters. Nothing is encoded in them, so that an id tells nothing.
    [Fact]
    public void An_id_is_26_letters_that_never_come_again()
    {
        var ids = Enumerable.Range(0, 10_000).Select(_ => Ids.New().Value).ToList();
        Assert.All(ids, id => Assert.Matches("^[a-z2-7]{26}$", id));
        Assert.Equal(ids.Count, new HashSet<string>(ids).Count);
        Assert.All(ids, id => Assert.True(ProcessId.Parse(id).IsSome));
    }

    /// PR-8, upstream pid_zero_is_rejected: no group is signalled that would be the keeper's own, or everybody's.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-1)]
    public void A_signal_needs_a_group_of_somebodys_own(int leader) => Assert.False(Processes.SignalGroup(leader, 0));
}
