using System.Linq;
using System.Reflection;
using Agent.Tests.Containers;
using Xunit;

namespace Agent.Tests;

/// <summary>What may not run side by side does not.</summary>
public sealed class CollectionsTests
{
    /// Two engines that begin at once take each other's firewall rules away.
    [Fact]
    public void Whoever_needs_the_real_engine_waits_for_a_turn()
    {
        var users = typeof(CollectionsTests).Assembly.GetTypes()
            .Where(type => type.IsAssignableTo(typeof(IClassFixture<DockerWorld>))).ToList();
        Assert.NotEmpty(users);
        Assert.All(users, type => Assert.Equal(
            nameof(EngineCollection),
            type.CustomAttributes.Single(one => one.AttributeType == typeof(CollectionAttribute)).ConstructorArguments[0].Value));
    }
}
