using Agent.Core.Process;
using Agent.Core.Time;
using Agent.Specs.Tools;
using LanguageExt;
using Xunit;

namespace Agent.Specs.Process;

/// <summary>In what order services begin and end.</summary>
public sealed class RegistryOrder
{
    private const int Services = 6;

    private static readonly Instant Now = new(0);

    /// PR-13: whatever comes after which, all of them end, and none before what comes after it has ended.
    [Fact]
    public void What_comes_later_ends_earlier()
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var after = Order(new Random(seed));
            var registry = Running(after);
            var ended = new List<string>();
            while (registry.Stoppable is { IsEmpty: false } next)
            {
                foreach (var id in next)
                {
                    var label = registry.All[id].Profile.Spec.Label;
                    var later = Enumerable.Range(0, Services).Where(other => after[other].Contains(label)).Select(Label);
                    Assert.Empty(later.Except(ended));
                }

                foreach (var id in next)
                {
                    ended.Add(registry.All[id].Profile.Spec.Label);
                    registry = registry.Report(id, new(Now, new ProcessEvent.ShutdownRequested())).Registry;
                    registry = registry.Report(id, new(Now, Specimens.Exit(1))).Registry;
                }
            }

            Assert.Equal(Services, ended.Count);
        }
    }

    private static string Label(int service) => "w" + service;

    /// <summary>Each after some of those before it, so that no ring comes to be.</summary>
    private static string[][] Order(Random random) =>
        [.. Enumerable.Range(0, Services).Select(service => Enumerable.Range(0, service).Where(_ => random.Next(3) == 0).Select(Label).ToArray())];

    /// <summary>Half of what they come after need only run.</summary>
    private static Registry Running(string[][] after)
    {
        var declared = Enumerable.Range(0, Services).Select(service => new ServiceDeclaration(
            Ids.Of("s" + service),
            Specimens.Service(Label(service), [.. after[service].Where((_, place) => place % 2 == 0)]) with
            {
                AfterStarted = after[service].Where((_, place) => place % 2 == 1).ToArray().ToSeq(),
            }));
        var registry = Registry.Empty.Declare(declared.ToArray().ToSeq(), Now).Registry;
        for (var service = 0; service < Services; service++)
        {
            registry = registry.Report(
                Ids.Of("s" + service), new(Now, new ProcessEvent.SpawnCompleted(1, Specimens.Identity(100 + service)))).Registry;
        }

        Assert.All(registry.All.Values, state => Assert.IsType<ProcessState.Running>(state));
        return registry;
    }
}
