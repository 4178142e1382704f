using System;
using System.Collections.Generic;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Time;
using LanguageExt;

namespace Agent.Shell.Journal.Codec;

/// <summary>Reads one value where it stands, its name already taken.</summary>
internal delegate T Reader<T>(ref JsonIn from);

/// <summary>What many forms hold alike: lists, values that may be absent, instants, and a tally of restarts.</summary>
internal static class JsonItems
{
    public static JsonOut Items<T>(this JsonOut to, ReadOnlySpan<byte> name, Seq<T> items, Func<JsonOut, T, JsonOut> write)
    {
        to.BeginList(name);
        foreach (var item in items) _ = write(to, item);
        return to.EndList();
    }

    public static Seq<T> Items<T>(this ref JsonIn from, ReadOnlySpan<byte> name, Reader<T> read)
    {
        var items = new List<T>();
        from.BeginList(name);
        while (!from.AtListEnd) items.Add(read(ref from));
        from.EndList();
        return items.ToArray().ToSeq();
    }

    public static JsonOut Optional<T>(
        this JsonOut to, ReadOnlySpan<byte> name, Option<T> value, Func<JsonOut, T, JsonOut> write) =>
        value.TryGet(out var some) ? write(to.Name(name), some) : to.Null(name);

    public static Option<T> Optional<T>(this ref JsonIn from, ReadOnlySpan<byte> name, Reader<T> read)
    {
        from.Name(name);
        return from.TakeNull() ? Option<T>.None : read(ref from);
    }

    public static JsonOut Instants(this JsonOut to, ReadOnlySpan<byte> name, Seq<Instant> instants) =>
        to.Items(name, instants, static (item, at) => item.Begin().At("at"u8, at).End());

    public static Seq<Instant> Instants(this ref JsonIn from, ReadOnlySpan<byte> name) =>
        from.Items(name, static (ref JsonIn item) =>
        {
            item.Begin();
            var at = item.At("at"u8);
            item.End();
            return at;
        });

    public static JsonOut Tally(this JsonOut to, RestartTally tally) => to
        .Number("restarts"u8, tally.Restarts).Number("streak"u8, tally.Streak).Instants("exits"u8, tally.Exits);

    public static RestartTally Tally(this ref JsonIn from) =>
        new(from.Int("restarts"u8), from.Int("streak"u8), from.Instants("exits"u8));
}
