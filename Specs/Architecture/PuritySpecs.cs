using System.Reflection;
using Agent.Core.Host;
using Xunit;

namespace Agent.Specs.Architecture;

/// <summary>What keeps Core a function: no way out of it, no union left open, nothing that can change.</summary>
public sealed class PuritySpecs
{
    private static readonly Assembly Core = typeof(HostMachine).Assembly;

    /// CO-1: what Core references cannot read a clock, a file or a socket behind its back.
    [Fact]
    public void Core_references_the_runtime_and_LanguageExt_only()
    {
        var foreign = Core.GetReferencedAssemblies().Select(name => name.Name!)
            .Where(name => !name.StartsWith("System", StringComparison.Ordinal) && name is not ("LanguageExt.Core" or "netstandard"))
            .ToList();
        Assert.Empty(foreign);
    }

    /// CO-3: a record that is abstract is a closed union: only its own nested cases derive from it, and each is sealed.
    [Fact]
    public void Every_abstract_record_is_a_closed_union()
    {
        var unions = Core.GetTypes().Where(type => type.IsAbstract && !type.IsSealed && type.IsClass).ToList();
        Assert.NotEmpty(unions);
        foreach (var union in unions)
        {
            Assert.All(
                union.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic),
                constructor => Assert.True(constructor.IsPrivate || IsCopy(constructor), $"{union} can be derived from elsewhere"));
            var cases = Core.GetTypes().Where(type => type.BaseType == union).ToList();
            Assert.NotEmpty(cases);
            Assert.All(cases, one => Assert.True(one.IsSealed && one.DeclaringType == union, $"{one} is no sealed case of {union}"));
        }
    }

    /// CO-1, CO-2: nothing in Core remembers anything between two steps.
    [Fact]
    public void No_static_field_of_Core_can_change() => Assert.Empty(Core.GetTypes()
        .Where(type => !type.Name.StartsWith('<'))
        .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
        .Where(field => !field.IsInitOnly && !field.IsLiteral && !field.Name.StartsWith('<'))
        .Select(field => $"{field.DeclaringType}.{field.Name}"));

    /// CO-1: states, events and effects are plain data: no delegate, array or hash table in any of them.
    [Fact]
    public void Unions_hold_data_only() => Assert.Empty(Core.GetTypes()
        .Where(type => type.IsClass && type.GetMethod("<Clone>$") is not null)
        .SelectMany(type => type.GetProperties())
        .Where(property => property.PropertyType.IsArray
            || typeof(Delegate).IsAssignableFrom(property.PropertyType)
            || property.PropertyType.Name is "HashMap`2" or "HashSet`1" or "Dictionary`2" or "ImmutableDictionary`2" or "Map`2")
        .Select(property => $"{property.DeclaringType}.{property.Name}"));

    private static bool IsCopy(ConstructorInfo constructor) =>
        constructor.GetParameters() is [var only] && only.ParameterType == constructor.DeclaringType;
}
