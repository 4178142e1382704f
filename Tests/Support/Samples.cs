using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Rollout;
using Agent.Core.Time;
using LanguageExt;

namespace Agent.Tests.Support;

/// <summary>
/// Makes values of Core's types by reflection, every case of every union among them, so that a test over "all events"
/// grows by itself when a case is added. Seeded: the same seed gives the same values.
/// </summary>
public sealed class Samples(int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>One value of each case of a union.</summary>
    public IEnumerable<T> EachCase<T>() => Cases(typeof(T)).Select(type => (T)Record(type));

    public T Any<T>() => (T)Of(typeof(T));

    private static Type[] Cases(Type union) =>
        [.. union.GetNestedTypes().Where(nested => nested.IsSubclassOf(union))];

    private object Of(Type type) =>
        type == typeof(string) ? Text()
        : type == typeof(int) ? _random.Next(0, 1_000_000)
        : type == typeof(long) ? _random.NextInt64(0, 1L << 52)
        : type == typeof(uint) ? (uint)_random.Next()
        : type == typeof(bool) ? _random.Next(2) == 1
        : type == typeof(TimeSpan) ? TimeSpan.FromMilliseconds(_random.Next())
        : type == typeof(ProcessId) ? Id()
        : type == typeof(ChannelName) ? ChannelName.Parse("c" + _random.Next(100)).IfNone(NoSample<ChannelName>)
        : type == typeof(RolloutId) ? RolloutId.Parse($"c{_random.Next(9)}@{_random.Next(1 << 20):x8}").IfNone(NoSample<RolloutId>)
        : type == typeof(ReleaseId) ? ReleaseId.Parse($"sha256:{_random.Next(1 << 20):x64}").IfNone(NoSample<ReleaseId>)
        : type == typeof(HostName) ? HostName.Parse("host-" + _random.Next(100)).IfNone(NoSample<HostName>)
        : type == typeof(TokenId) ? TokenId.Parse($"{_random.Next():x8}").IfNone(NoSample<TokenId>)
        : type == typeof(ContainerUid) ? ContainerUid.Parse("C_" + _random.Next(100)).IfNone(NoSample<ContainerUid>)
        : type == typeof(CompanionName) ? CompanionName.Parse($"unit-{_random.Next(100)}.service").IfNone(NoSample<CompanionName>)
        : type == typeof(ProbeName) ? ProbeName.Parse("probe-" + _random.Next(9)).IfNone(NoSample<ProbeName>)
        : type == typeof(OutboxQueue) ? Queue()
        : type.IsEnum ? Enum.GetValues(type).GetValue(_random.Next(Enum.GetValues(type).Length))!
        : IsGeneric(type, typeof(Option<>)) ? Optional(type)
        : IsGeneric(type, typeof(Seq<>)) ? List(type)
        : IsGeneric(type, typeof(Map<,,>)) ? Generic(nameof(MapOf), type)
        : type.IsAbstract ? Record(Cases(type)[_random.Next(Cases(type).Length)])
        : Record(type);

    private object Record(Type type)
    {
        var constructor = type.GetConstructors(BindingFlags.Public | BindingFlags.Instance)
            .OrderByDescending(candidate => candidate.GetParameters().Length).First();
        return constructor.Invoke([.. constructor.GetParameters().Select(parameter => Of(parameter.ParameterType))]);
    }

    private object Optional(Type type)
    {
        if (_random.Next(3) == 0) return Activator.CreateInstance(type)!;
        var some = typeof(Prelude).GetMethods()
            .First(method => method.Name == "Some" && method.GetParameters().Length == 1
                && !method.GetParameters()[0].ParameterType.Name.StartsWith("Nullable", StringComparison.Ordinal));
        return some.MakeGenericMethod(type.GenericTypeArguments).Invoke(null, [Of(type.GenericTypeArguments[0])])!;
    }

    private object List(Type type) => Generic(nameof(ListOf), type);

    private object Generic(string method, Type type) => typeof(Samples)
        .GetMethod(method, BindingFlags.NonPublic | BindingFlags.Instance)!
        .MakeGenericMethod(type.GenericTypeArguments).Invoke(this, null)!;

    private Map<TOrd, TKey, TValue> MapOf<TOrd, TKey, TValue>()
        where TOrd : struct, LanguageExt.TypeClasses.Ord<TKey> => _random.Next(3) == 0
        ? Map<TOrd, TKey, TValue>.Empty
        : Map<TOrd, TKey, TValue>.Empty.AddOrUpdate((TKey)Of(typeof(TKey)), (TValue)Of(typeof(TValue)));

    private Seq<T> ListOf<T>() =>
        Enumerable.Range(0, _random.Next(4)).Select(_ => (T)Of(typeof(T))).ToArray().ToSeq();

    private string Text()
    {
        string[] texts = ["", "web", "a \"quoted\" word", "ünïcode ✓", "line\nbreak", "tab\t", "/usr/bin/env", "😀", "\\"];
        return texts[_random.Next(texts.Length)];
    }

    private ProcessId Id() =>
        ProcessId.Parse(string.Concat(Enumerable.Range(0, 26).Select(_ => (char)('a' + _random.Next(26)))))
            .IfNone(NoSample<ProcessId>);

    /// <summary>Two items, the one of them a dead letter, whose rollout is owed as a whole.</summary>
    private OutboxQueue Queue()
    {
        var queue = OutboxQueue.Empty with { NextPost = Any<long>(), Shed = Any<long>(), BatchLimit = 1 + _random.Next(100) };
        for (var items = 0; items < 2; items++)
        {
            var item = Any<OutboxItem>();
            queue = queue.Append(item.Rollout, item.Seq, item.At, item.Event, item.Importance);
        }

        return queue.Bury(queue.Items.All.Values.First(), Text(), Text(), Any<Instant>());
    }

    private static T NoSample<T>() => throw new InvalidOperationException($"a sample is a {typeof(T).Name}");

    private static bool IsGeneric(Type type, Type definition) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == definition;
}
