using System.Collections.Generic;
using System.Linq;
using Xunit;
using Xunit.Abstractions;

// Real agents wait far more than they compute: as many turns as there are lines of them below, and two for all the rest.
[assembly: CollectionBehavior(MaxParallelThreads = 5)]
[assembly: TestCollectionOrderer("Agent.Tests.LinesFirst", "Agent.Tests")]

namespace Agent.Tests;

/// <summary>One host with a real agent at a time.</summary>
[CollectionDefinition(nameof(EndToEndCollection))]
public sealed class EndToEndCollection;

/// <summary>One fleet of real agents at a time.</summary>
[CollectionDefinition(nameof(FleetCollection))]
public sealed class FleetCollection;

/// <summary>One real engine at a time: two share the machine's bridge and its firewall.</summary>
[CollectionDefinition(nameof(EngineCollection))]
public sealed class EngineCollection;

/// <summary>What looks at time or memory runs alone, after everything else.</summary>
[CollectionDefinition(nameof(MeasuredCollection), DisableParallelization = true)]
public sealed class MeasuredCollection;

/// <summary>The lines above take minutes each, so they begin before what takes seconds: nothing is left to wait for one.</summary>
public sealed class LinesFirst : ITestCollectionOrderer
{
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection => collection.CollectionDefinition is null);
}
