using System;
using System.Collections.Generic;
using System.Linq;
using Agent.Shell.Config;

namespace Agent.Shell.Import;

/// <summary>A service of another supervisor in the words of agent.yaml; what is null has the agent's default.</summary>
internal sealed record ImportedService(string Name, IReadOnlyList<string> Command)
{
    public IReadOnlyList<KeyValuePair<string, string>> Env { get; init; } = [];

    public string? Cwd { get; init; }

    public string? User { get; init; }

    /// <summary>never, onFailure or always.</summary>
    public string? Restart { get; init; }

    public string? StopSignal { get; init; }

    public TimeSpan? Grace { get; init; }

    public IReadOnlyList<string> After { get; init; } = [];

    /// <summary>How much of each of its streams is kept on disk.</summary>
    public LogSettings? Log { get; init; }

    /// <summary>Where its environment was written, and under which key; null: where the service itself is.</summary>
    public (Place At, string Key)? EnvFrom { get; init; }

    /// <summary>The same of its grace.</summary>
    public (Place At, string Key)? GraceFrom { get; init; }

    /// <summary>It was not to start by itself, which no service of the agent can be told: it is written as a comment.</summary>
    public bool Disabled { get; init; }
}

/// <summary>Something that the agent has no counterpart of: where it stands, its key, why, and what to do instead.</summary>
internal sealed record ImportNote(string File, long Line, string Key, string Text)
{
    public override string ToString() => FormattableString.Invariant($"{File}:{Line} {Key}: {Text}");
}

/// <summary>What one reader made of a file.</summary>
internal sealed record Imported(IReadOnlyList<ImportedService> Services, IReadOnlyList<ImportNote> Notes);

/// <summary>What a reader gathers: services whose names are free, notes, and mistakes, all with their places.</summary>
internal sealed class Import(Mistakes mistakes)
{
    /// <summary>As many services as the agent keeps.</summary>
    public const int MostServices = 1024;

    /// <summary>Beyond this nobody reads on; the last one says how many more there are.</summary>
    private const int MostNotes = 1000;

    private const int LongestName = 64;

    private readonly List<ImportedService> _services = [];
    private readonly List<ImportNote> _notes = [];
    private readonly HashSet<ImportNote> _told = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private int _untold;

    public Mistakes Mistakes => mistakes;

    public Imported Done()
    {
        if (_untold > 0) _notes[^1] = _notes[^1] with { Text = $"{_notes[^1].Text} (and {_untold} more notes)" };
        return new(_services, [.. _notes.OrderBy(one => one.File, StringComparer.Ordinal).ThenBy(one => one.Line)]);
    }

    public void Note(Place at, string key, string text)
    {
        // Each process of a program has the same to say.
        var note = new ImportNote(at.File, at.Line, key, text);
        if (!_told.Add(note)) return;
        if (_notes.Count < MostNotes) _notes.Add(note);
        else _untold++;
    }

    public void Add(Place at, ImportedService service)
    {
        if (_services.Count == MostServices)
        {
            mistakes.Add(at, $"more than {MostServices} services");
            return;
        }

        _services.Add(service with { Env = Allowed(at, service), Grace = Bounded(at, service) });
    }

    /// <summary>A name that the agent takes and nobody has yet: letters, digits, - and _.</summary>
    public string Name(Place at, string wanted)
    {
        var name = new char[Math.Min(wanted.Length, LongestName - 5)];
        for (var i = 0; i < name.Length; i++)
        {
            name[i] = char.IsAsciiLetterOrDigit(wanted[i]) || wanted[i] is '-' or '_' ? wanted[i] : '-';
        }

        var based = name.Length == 0 ? "service" : new string(name);
        var free = based;
        for (var i = 1; !_names.Add(free); i++) free = FormattableString.Invariant($"{based}-{i}");
        if (free != wanted) Note(at, wanted, $"is called {free} here: names have letters, digits, - and _, and stand once");
        return free;
    }

    /// <summary>Whether a service may have this variable; if not, that is told.</summary>
    public bool Allows(Place at, string called, KeyValuePair<string, string> variable)
    {
        var given = new Dictionary<string, string?>(StringComparer.Ordinal) { [variable.Key] = variable.Value };
        if (Api.EnvironmentRules.Fault(given) is not var (_, reason)) return true;
        Note(
            at, $"{called} {variable.Key}",
            $"{reason}; left out. Where it is needed, write it before the command: [/usr/bin/env, {variable.Key}=…, …]");
        return false;
    }

    private List<KeyValuePair<string, string>> Allowed(Place at, ImportedService service)
    {
        var (from, called) = service.EnvFrom ?? (at, "environment");
        return [.. service.Env.Where(one => Allows(from, called, one))];
    }

    private TimeSpan? Bounded(Place at, ImportedService service)
    {
        var most = Core.Process.ProcessSpec.MaxGrace;
        if (service.Grace is not { } grace || grace <= most) return service.Grace;
        var (from, called) = service.GraceFrom ?? (at, "grace");
        var (asked, given) = (Durations.Show(grace), Durations.Show(most));
        Note(from, called, $"{asked} from the stop signal to the kill is more than the agent gives; it has {given}");
        return most;
    }
}
