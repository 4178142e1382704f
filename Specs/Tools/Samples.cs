using System.Collections.Concurrent;
using System.Reflection;
using Agent.Core.Model;
using Agent.Core.Rollout;
using LanguageExt;

namespace Agent.Specs.Tools;

/// <summary>
/// Makes values of Core's types by reflection, every case of every union among them, so that a spec over "all events"
/// grows by itself when a case is added. Seeded: the same seed gives the same values. A type can be pinned to a value.
/// </summary>
public sealed class Samples(int seed)
{
    private static readonly ConcurrentDictionary<Type, Type[]> KnownCases = new();
    private static readonly ConcurrentDictionary<Type, (ConstructorInvoker Make, ParameterInfo[] Of)> Shapes = new();
    private static readonly ConcurrentDictionary<(string, Type), MethodInvoker> Generics = new();
    private readonly Random _random = new(seed);
    private readonly Dictionary<Type, Func<Random, object>> _pinned = [];
    private readonly Dictionary<string, Func<Random, object>> _named = [];

    public Samples Pin<T>(Func<Random, T> make)
        where T : notnull
    {
        _pinned[typeof(T)] = random => make(random);
        return this;
    }

    /// <summary>Pins every constructor parameter of that name, such as a generation or an attempt.</summary>
    public Samples Pin(string parameter, Func<Random, object> make)
    {
        _named[parameter] = make;
        return this;
    }

    /// <summary>One value of each case of a union, in the order in which the union declares them.</summary>
    public IEnumerable<T> EachCase<T>() => Cases(typeof(T)).Select(type => (T)Record(type));

    public T Any<T>() => (T)Of(typeof(T), "");

    public int Below(int limit) => _random.Next(limit);

    public static Type[] Cases(Type union) => KnownCases.GetOrAdd(union, type => [.. type.GetNestedTypes()
        .Where(nested => nested.IsSubclassOf(type)).OrderBy(nested => nested.MetadataToken)]);

    private object Of(Type type, string name) =>
        _named.TryGetValue(name, out var named) ? named(_random)
        : _pinned.TryGetValue(type, out var make) ? make(_random)
        : type == typeof(string) ? Text()
        : type == typeof(int) ? _random.Next(0, 4)
        : type == typeof(long) ? _random.NextInt64(0, 1_000_000)
        : type == typeof(uint) ? (uint)_random.Next(0, 3)
        : type == typeof(bool) ? _random.Next(2) == 1
        : type == typeof(TimeSpan) ? TimeSpan.FromMilliseconds(_random.Next(0, 120_000))
        : type == typeof(ProcessId) ? Id()
        : type == typeof(RolloutId) ? Ids.Rollout(_random.Next(4))
        : type == typeof(ReleaseId) ? Ids.Release(_random.Next(4))
        : type == typeof(HostName) ? Ids.Host("h" + _random.Next(4))
        : type == typeof(ChannelName) ? Ids.Channel(_random.Next(2) == 0 ? "stable" : "edge")
        : type == typeof(TokenId) ? Ids.Token("t" + _random.Next(4))
        : type == typeof(ContainerUid) ? Ids.Container("c" + _random.Next(4))
        : type == typeof(CompanionName) ? Ids.Companion($"u{_random.Next(4)}.service")
        : type == typeof(ProbeName) ? Ids.Probe(_random.Next(2) == 0 ? "http" : "disk")
        : type.IsEnum ? Enum.GetValues(type).GetValue(_random.Next(Enum.GetValues(type).Length))!
        : IsGeneric(type, typeof(Option<>)) ? Optional(type)
        : IsGeneric(type, typeof(Seq<>)) ? List(type)
        : type.IsAbstract ? Record(Cases(type)[_random.Next(Cases(type).Length)])
        : Record(type);

    private object Record(Type type)
    {
        if (_pinned.TryGetValue(type, out var make)) return make(_random);
        var (construct, parameters) = Shapes.GetOrAdd(type, Shape);
        var values = new object?[parameters.Length];
        for (var i = 0; i < values.Length; i++) values[i] = Of(parameters[i].ParameterType, parameters[i].Name!);
        return construct.Invoke(values);
    }

    private static (ConstructorInvoker Make, ParameterInfo[] Of) Shape(Type type)
    {
        var constructor = type.GetConstructors(BindingFlags.Public | BindingFlags.Instance)
            .OrderByDescending(candidate => candidate.GetParameters().Length).First();
        return (ConstructorInvoker.Create(constructor), constructor.GetParameters());
    }

    private object Optional(Type type) => Generic(nameof(OptionOf), type);

    private object List(Type type) => Generic(nameof(ListOf), type);

    private object Generic(string method, Type type) =>
        Generics.GetOrAdd((method, type), key => MethodInvoker.Create(
            typeof(Samples).GetMethod(key.Item1, BindingFlags.NonPublic | BindingFlags.Instance)!
                .MakeGenericMethod(key.Item2.GenericTypeArguments))).Invoke(this)!;

    private Option<T> OptionOf<T>() => _random.Next(3) == 0 ? Option<T>.None : Prelude.Some((T)Of(typeof(T), ""));

    private Seq<T> ListOf<T>() =>
        Enumerable.Range(0, _random.Next(3)).Select(_ => (T)Of(typeof(T), "")).ToArray().ToSeq();

    private string Text()
    {
        string[] texts = ["", "web", "db", "a \"quoted\" word", "line\nbreak"];
        return texts[_random.Next(texts.Length)];
    }

    /// <summary>One of a few, so that events meet their processes.</summary>
    private ProcessId Id() => Ids.Of("p" + _random.Next(4));

    private static bool IsGeneric(Type type, Type definition) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == definition;
}
