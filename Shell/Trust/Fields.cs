using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Agent.Core.Time;

namespace Agent.Shell.Trust;

/// <summary>
/// Typed reading of an object of a signed document. Ask for every field, then <see cref="NoOthers"/>, then look at
/// <see cref="Refusal"/>: the first breach stays, and until it is looked at a faulty field reads as an empty value.
/// A field whose name begins with <c>x-</c> is for others: it is ignored here and stays in what was signed and hashed.
/// </summary>
internal sealed class Fields
{
    private const string NotCritical = "x-";

    private readonly Dictionary<string, Json> _left;
    private readonly string _path;
    private readonly Breach _breach;

    private Fields(Json? json, string path, Breach breach)
    {
        (_path, _breach) = (path, breach);
        _left = json is Json.Object(var members)
            ? members.ToDictionary(member => member.Name, member => member.Value, StringComparer.Ordinal)
            : [];
        if (json is not (null or Json.Object)) Refuse("", "must be an object");
    }

    /// <summary>The first breach in this object and all that were read out of it; null while there is none.</summary>
    public Refusal? Refusal => _breach.First;

    public static Fields Of(Json json) => new(json, "", new());

    public string String(string name) => OptionalString(name) ?? Missing(name, "");

    public string? OptionalString(string name) =>
        Take(name) is not { } json ? null
        : json is Json.String(var value) ? value
        : Refuse(name, "must be a string", "");

    public bool Boolean(string name) => OptionalBoolean(name) ?? Missing(name, false);

    public bool? OptionalBoolean(string name) =>
        Take(name) is not { } json ? null
        : json is Json.Boolean(var value) ? value
        : Refuse(name, "must be true or false", false);

    /// <summary>An integer within bounds, both included.</summary>
    public long Integer(string name, long least, long most) =>
        OptionalInteger(name, least, most) ?? Missing(name, least);

    public long? OptionalInteger(string name, long least, long most)
    {
        if (Take(name) is not { } json) return null;
        if (json is Json.Number { IsExact: false })
        {
            Refuse(name, TrustFault.NumberOutOfRange, "is larger than any integer that every reader takes as it stands");
            return least;
        }

        return json is Json.Number { Integer: { } value } && value >= least && value <= most
            ? value
            : Refuse(
                name, string.Create(CultureInfo.InvariantCulture, $"must be an integer from {least} to {most}"), least);
    }

    /// <summary>A time in UTC: <c>2030-01-31T12:00:00Z</c>, with three decimals or none.</summary>
    public Instant Time(string name) => OptionalTime(name) ?? Missing(name, default(Instant));

    public Instant? OptionalTime(string name)
    {
        if (OptionalString(name) is not { } text) return null;
        return DateTimeOffset.TryParseExact(
            text, TimeForms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? new Instant(time.ToUnixTimeMilliseconds())
            : Refuse(name, "must be a time such as 2030-01-31T12:00:00Z", default(Instant));
    }

    /// <summary>The items of an array that holds at most so many.</summary>
    public IReadOnlyList<Json> Array(string name, int most) =>
        OptionalArray(name, most) ?? Missing<IReadOnlyList<Json>>(name, []);

    public IReadOnlyList<Json>? OptionalArray(string name, int most)
    {
        if (Take(name) is not { } json) return null;
        return json is Json.Array(var items) && items.Count <= most
            ? items
            : Refuse<IReadOnlyList<Json>>(
                name, string.Create(CultureInfo.InvariantCulture, $"must be an array of at most {most}"), []);
    }

    /// <summary>An array of objects, each to be read like this one.</summary>
    public IReadOnlyList<Fields> Objects(string name, int most) =>
    [
        .. Array(name, most)
            .Select((item, at) => Inner(item, string.Create(CultureInfo.InvariantCulture, $"{name}[{at}]"))),
    ];

    public Fields Object(string name) => OptionalObject(name) ?? Missing(name, Inner(null, name));

    public Fields? OptionalObject(string name) => Take(name) is { } json ? Inner(json, name) : null;

    /// <summary>Refuses what was not asked for: a signer may mean by it what this agent would not do.</summary>
    public void NoOthers()
    {
        var others = _left.Keys.Where(name => !name.StartsWith(NotCritical, StringComparison.Ordinal));
        if (others.Order(StringComparer.Ordinal).FirstOrDefault() is not { } other) return;
        Refuse(other, TrustFault.UnknownField, "is not known here");
    }

    /// <summary>Notes a breach that the caller found in a field it has read.</summary>
    public void Refuse(string name, string why) => Refuse(name, TrustFault.BadField, why);

    /// <summary>The same with a code of its own.</summary>
    public void Refuse(string name, TrustFault fault, string why) => _breach.Note(new(fault, $"{At(name)} {why}"));

    // The year begins at 0001 and each part has its two digits, so a time has one form with decimals and one without.
    private static readonly string[] TimeForms = ["yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.fff'Z'"];

    private Json? Take(string name) => _left.Remove(name, out var json) ? json : null;

    private T Missing<T>(string name, T placeholder)
    {
        Refuse(name, TrustFault.MissingField, "is missing");
        return placeholder;
    }

    private T Refuse<T>(string name, string why, T placeholder)
    {
        Refuse(name, why);
        return placeholder;
    }

    private Fields Inner(Json? json, string name) => new(json, At(name), _breach);

    private string At(string name) =>
        name.Length == 0 ? (_path.Length == 0 ? "the document" : _path) : _path.Length == 0 ? name : $"{_path}.{name}";

    private sealed class Breach
    {
        public Refusal? First { get; private set; }

        public void Note(Refusal refusal) => First ??= refusal;
    }
}
