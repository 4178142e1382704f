using System.Collections;
using System.Globalization;
using System.Reflection;
using Agent.Core.Companion;
using Agent.Core.Container;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Plane;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Core.Runtime;
using Agent.Core.Time;

namespace Agent.Specs.Tools;

/// <summary>
/// Writes a value on one line: records by name with named fields, Option as its value or none, Seq in brackets,
/// instants relative to the epoch. What a reader of a trace has seen before is written short: a spec as its label,
/// a profile as label and generation, a row of the service table and a failure as a phrase.
/// </summary>
public static class TracePrinter
{
    public static string Print(object? value) => value switch
    {
        null => "null",
        string text => Text(text),
        Instant at => At(at),
        TimeSpan span => Span(span),
        ProcessId id => id.Value,
        BootId boot => boot.Value,
        Principal by => by.IsRoot ? "root" : string.Create(CultureInfo.InvariantCulture, $"uid {by.Uid}"),
        ProcessIdentity identity => string.Create(CultureInfo.InvariantCulture, $"pid {identity.Pid}"),
        ProcessSpec spec => Brief(spec),
        ProcessProfile profile => Brief(profile),
        HostEffect.Runtime(var effect) => $"runtime {Print(effect)}",
        HostEffect.Process(var effect) => $"process {Print(effect)}",
        HostEffect.Rollout(var effect) => $"rollout {Print(effect)}",
        HostEffect.Container(var effect) => $"container {Print(effect)}",
        HostEffect.Companion(var effect) => $"companion {Print(effect)}",
        HostEffect.Outbox(var effect) => $"outbox {Print(effect)}",
        ContainerUid uid => uid.Value,
        ContainerSpec spec => $"{spec.Uid}:{spec.Digest}",
        ContainerProfile profile => Brief(profile),
        ObservedContainer container => Brief(container),
        Containers known => $"{Print(known.Passing)} {Print(known.All.Values.ToArray())}",
        CompanionName name => name.Value,
        CompanionSpec spec => $"{spec.Name}:{spec.Digest}",
        CompanionProfile profile => Brief(profile),
        ObservedCompanion companion => $"{companion.Name} {Brief(companion)}",
        Companions known => $"{Print(known.Passing)} {Print(known.All.Values.ToArray())}",
        RolloutId rollout => rollout.Value,
        HostName host => host.Value,
        ChannelName channel => channel.Value,
        TokenId token => token.Value,
        FleetOrder order => order.Id.Value,
        WaveTally wave => Brief(wave),
        ReleaseId release => Brief(release),
        ProbeName probe => probe.Value,
        RolloutOrder order => order.Id.Value,
        RolloutProfile profile => Print(profile.Order),
        RolloutEffect.Report(var id, var seq, var @event, _) =>
            string.Create(CultureInfo.InvariantCulture, $"Report {id} {seq} {@event.GetType().Name}"),
        OutboxItem item => Brief(item),
        OutboxQueue queue => Brief(queue),
        ProbeSpec probe => probe.Name.Value,
        ProbeRecord record => Brief(record),
        Rollouts known => Print(known.All.Values.ToArray()),
        Registry known => Print(known.All.Values.ToArray()),
        ServiceStatus row => Brief(row),
        RuntimeHistory history => Brief(history),
        RuntimeFailure failure => Brief(failure),
        DaemonExit exit => Brief(exit),
        ServiceDeclaration service => $"{service.Id} as {Print(service.Spec)}",
        ExitStatus status => status.Describe(),
        IFormattable and not IEnumerable => ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture),
        bool => (bool)value ? "yes" : "no",
        IEnumerable items when !IsOption(value) => $"[{string.Join(", ", items.Cast<object>().Select(Print))}]",
        _ => IsOption(value) ? Option(value) : Record(value),
    };

    /// <summary>t+hh:mm:ss, with milliseconds where there are any.</summary>
    public static string At(Instant at) =>
        "t+" + TimeSpan.FromMilliseconds(at.UnixMilliseconds).ToString(
            at.UnixMilliseconds % 1000 == 0 ? @"hh\:mm\:ss" : @"hh\:mm\:ss\.fff", CultureInfo.InvariantCulture);

    private static string Span(TimeSpan span) =>
        span.TotalMilliseconds % 1000 != 0 ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds} ms")
        : string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds} s");

    private static string Text(string text) =>
        text.Length > 0 && text.All(c => char.IsLetterOrDigit(c) || c is '/' or '.' or '-' or '_' or ':')
            ? text
            : $"'{text.Replace("\n", "\\n", StringComparison.Ordinal)}'";

    /// <summary>An archive's digest by its last digits, in which the samples differ.</summary>
    private static string Brief(ReleaseId release) =>
        release.Value.StartsWith(ReleaseId.ArchivePrefix, StringComparison.Ordinal) ? $"release-{release.Value[^1]}" : release.Value;

    private static string Brief(WaveTally wave)
    {
        var tally = string.Create(CultureInfo.InvariantCulture, $"{wave.Done}/{wave.Hosts} done");
        foreach (var (count, what) in new[] { (wave.Deferred, "deferred"), (wave.Failed, "failed"), (wave.Reverted, "reverted") })
        {
            if (count > 0) tally += string.Create(CultureInfo.InvariantCulture, $" {count} {what}");
        }

        return tally;
    }

    private static string Brief(ProbeRecord record)
    {
        var tally = string.Create(
            CultureInfo.InvariantCulture, $"{record.Spec.Name} {record.Passes} passed, {record.Failures} failed");
        var since = record.FailingSince.TryGet(out var at) ? $" since {At(at)}" : "";
        return record.Last.TryGet(out var last) ? $"{tally}{since}, last {last.GetType().Name}" : $"{record.Spec.Name} unreported";
    }

    private static string Brief(OutboxItem item) => string.Create(
        CultureInfo.InvariantCulture, $"#{item.Position} {item.Rollout} {item.Seq} {item.Event.GetType().Name}");

    /// <summary>What there is of it; counts where a full queue would fill the page.</summary>
    private static string Brief(OutboxQueue queue)
    {
        var parts = new List<string>();
        if (queue.Items.Count > 0)
        {
            parts.Add(queue.Items.Count <= 6
                ? Print(queue.Items.All.Values.ToArray())
                : string.Create(CultureInfo.InvariantCulture, $"{queue.Items.Count} items"));
        }

        if (queue.Stale.Count > 0) parts.Add($"owes {Print(queue.Stale.Keys.ToArray())} as a whole");
        if (queue.Dead.Count > 0) parts.Add($"dead {Print(queue.Dead.Map(letter => letter.Item).ToArray())}");
        if (queue.Shed > 0) parts.Add(string.Create(CultureInfo.InvariantCulture, $"{queue.Shed} shed"));
        if (queue.BatchLimit < OutboxQueue.MaxBatch)
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"at most {queue.BatchLimit} at once"));
        }

        return parts.Count == 0 ? "empty" : string.Join("; ", parts);
    }

    /// <summary>Its file's digest or what else there is in its place, and what systemd says.</summary>
    private static string Brief(ObservedCompanion companion) =>
        $"{(companion.File is UnitFile.Ours(var digest) ? digest : Print(companion.File))} {Print(companion.Activity)}";

    private static string Brief(CompanionProfile profile)
    {
        var parts = new List<string> { profile.Seen.TryGet(out var seen) ? Brief(seen) : "Unseen" };
        parts.Add(profile.Spec.TryGet(out var spec) ? $"as {spec.Digest}" : "undeclared");
        if (profile.OwesReload) parts.Add("owes a reload");
        if (profile.OwesRestart) parts.Add("owes a restart");
        if (profile.History.Losses.Count > 0) parts.Add(string.Create(CultureInfo.InvariantCulture, $"lost {profile.History.Losses.Count}"));
        if (profile.RetryAt.TryGet(out var at)) parts.Add($"again at {At(at)}");
        return $"{profile.Name} {string.Join(", ", parts)}";
    }

    private static string Brief(ProcessSpec spec) => spec.Command.Count == 1
        ? Text(spec.Label)
        : $"{Text(spec.Label)} ({string.Join(' ', spec.Command)})";

    private static string Brief(ProcessProfile profile)
    {
        var tally = profile.Tally;
        var name = string.Create(CultureInfo.InvariantCulture, $"{profile.Spec.Label}#{profile.Generation}");
        if (tally.Streak == 0) return name;
        var loop = tally.CrashLooping ? ", crash-looping" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{name} (streak {tally.Streak}{loop})");
    }

    private static string Brief(ObservedContainer container) => $"{container.Uid}:{container.Digest} {Print(container.Status)}"
        + (container.Health == ContainerHealth.None ? "" : $" {container.Health}");

    /// <summary>What is wanted, what is believed, and what counts.</summary>
    private static string Brief(ContainerProfile profile)
    {
        var seen = profile.Seen is Sighting.Present(var container) ? Brief(container) : $"{profile.Uid} {profile.Seen.GetType().Name}";
        var history = profile.History;
        var parts = new List<string> { seen, profile.Wish.ToString() };
        if (profile.Spec.TryGet(out var spec)) parts.Add("as " + spec.Digest);
        if (profile.Owed) parts.Add("owed");
        if (history.Tally.Streak > 0) parts.Add(string.Create(CultureInfo.InvariantCulture, $"streak {history.Tally.Streak}"));
        if (history.Failures > 0) parts.Add(string.Create(CultureInfo.InvariantCulture, $"failures {history.Failures}"));
        if (!history.Recreations.IsEmpty) parts.Add($"made anew {Print(history.Recreations)}");
        if (profile.RetryAt.TryGet(out var at)) parts.Add($"not before {At(at)}");
        return string.Join(", ", parts);
    }

    private static string Brief(ServiceStatus row)
    {
        var health = row.Health switch
        {
            ServiceHealth.Ready => "ready",
            ServiceHealth.NotReady => "not ready",
            ServiceHealth.Error => "in error",
            _ => throw new InvalidOperationException($"what is {row.Health}?"),
        };
        return row.Detail.Length == 0 ? $"{row.Name} {health}" : $"{row.Name} {health} ({row.Detail})";
    }

    private static string Brief(RuntimeHistory history)
    {
        var restarts = history.Restarts.IsEmpty ? "" : $", restarted {Print(history.Restarts)}";
        var failure = history.LastFailure.TryGet(out var last) ? $", after {Brief(last with { Exit = default })}" : "";
        return string.Create(CultureInfo.InvariantCulture, $"attempt {history.Attempt}{restarts}{failure}");
    }

    private static string Brief(RuntimeFailure failure)
    {
        var exit = failure.Exit.TryGet(out var last) && !last.LogTail.IsEmpty ? $", log {Print(last.LogTail)}" : "";
        var circuit = failure.CircuitOpen ? ", circuit open" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"attempt {failure.Attempt} failed at {At(failure.At)}: {Text(failure.Cause)}{exit}{circuit}");
    }

    private static string Brief(DaemonExit exit) =>
        $"{exit.Daemon} with {exit.Status.Describe()}{(exit.LogTail.IsEmpty ? "" : $", log {Print(exit.LogTail)}")}";

    private static string Record(object value)
    {
        var type = value.GetType();
        var fields = type.GetConstructors(BindingFlags.Public | BindingFlags.Instance)
            .OrderByDescending(candidate => candidate.GetParameters().Length).First().GetParameters()
            .Select(field => $"{field.Name} = {Print(type.GetProperty(field.Name!)!.GetValue(value))}").ToArray();
        return fields.Length == 0 ? type.Name : $"{type.Name} {{ {string.Join(", ", fields)} }}";
    }

    private static bool IsOption(object value) => value.GetType().IsGenericType
        && value.GetType().GetGenericTypeDefinition() == typeof(LanguageExt.Option<>);

    private static string Option(object value)
    {
        var inside = ((IEnumerable)value).Cast<object>().ToArray();
        return inside.Length == 0 ? "none" : Print(inside[0]);
    }
}
