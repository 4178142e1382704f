using Agent.Core.Companion;
using Agent.Core.Model;
using Agent.Core.Time;
using LanguageExt;
using Effect = Agent.Core.Companion.CompanionEffect;

namespace Agent.Specs.Companion;

/// <summary>
/// Unit files and a systemd in memory; they outlive the agent. It knows a unit by the bytes it read last and starts it of
/// those. A start takes a while; <paramref name="broken"/> names a unit whose starts come to nothing.
/// </summary>
internal sealed class Systemd(string? broken)
{
    private static readonly TimeSpan StartTakes = TimeSpan.FromMilliseconds(2500);

    private readonly SortedDictionary<string, string> _files = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, Unit> _units = new(StringComparer.Ordinal);

    /// <summary>Which bytes each unit runs of.</summary>
    public string Running => string.Join(' ', _units.Where(pair => pair.Value.Runs is not null).Select(pair => $"{pair.Key}:{pair.Value.Runs}"));

    public string Files => string.Join(' ', _files.Select(pair => $"{pair.Key}:{pair.Value}"));

    public Seq<ObservedCompanion> Look(Seq<CompanionName> names, Instant now) => names.Map(name => new ObservedCompanion(
        name,
        _files.TryGetValue(name.Value, out var digest) ? new UnitFile.Ours(digest) : new UnitFile.Absent(),
        Activity(name.Value, now))).Strict();

    /// <summary>Does what it is asked; why not, if it does not.</summary>
    public string? Obey(Effect effect, Instant now) => effect switch
    {
        Effect.Write write => Done(() => _files[write.Name.Value] = write.Digest),
        Effect.Reload => Done(Read),
        Effect.Start start => Start(start.Name.Value, now, anew: false),
        Effect.Restart restart => Start(restart.Name.Value, now, anew: true),
        Effect.Stop stop => Done(() => Stop(stop.Name.Value)),
        Effect.Remove remove => Done(() => Delete(remove.Name.Value)),
        Effect.Look or Effect.Reject => null,
    };

    public void Delete(string name) => _files.Remove(name);

    public void Change(string name)
    {
        if (_files.ContainsKey(name)) _files[name] = "stranger";
    }

    public void Stop(string name)
    {
        if (_units.TryGetValue(name, out var unit)) _units[name] = unit with { Runs = null, Failed = false };
    }

    private static string? Done(Action act)
    {
        act();
        return null;
    }

    private string? Start(string name, Instant now, bool anew)
    {
        if (!_units.TryGetValue(name, out var unit)) return $"Unit {name} not found.";
        if (unit.Runs is not null && !anew) return null;
        _units[name] = name == broken ? unit with { Failed = true } : unit with { Runs = unit.Read, Failed = false, Since = now };
        return null;
    }

    private void Read()
    {
        foreach (var (name, digest) in _files) _units[name] = _units.GetValueOrDefault(name, new Unit("", null, false, default)) with { Read = digest };
        foreach (var name in _units.Keys.Where(name => !_files.ContainsKey(name) && _units[name].Runs is null).ToList()) _units.Remove(name);
    }

    private UnitActivity Activity(string name, Instant now) => !_units.TryGetValue(name, out var unit) ? new UnitActivity.Missing()
        : unit.Runs is not null ? now - unit.Since < StartTakes ? new UnitActivity.Activating(Again: false) : new UnitActivity.Active()
        : unit.Failed ? new UnitActivity.Failed("Result=exit-code")
        : new UnitActivity.Inactive();

    private sealed record Unit(string Read, string? Runs, bool Failed, Instant Since);
}
