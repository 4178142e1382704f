using System;
using Agent.Shell.Trust;

namespace Agent.Shell.Manifests;

/// <summary>What a release's signers vouch for: an archive by its digest and its length. Hosts install nothing else.</summary>
internal sealed record ReleaseDescriptor(string Name, string Sha256, long Length)
{
    public const string Type = "agent/release";

    public const int SchemaVersion = 1;

    public const int MaxBytes = 16 << 10;

    // The largest integer that every JSON reader takes as it stands; the store has a bound of its own.
    private const long MostLength = 9007199254740991;

    public static Checked<ReleaseDescriptor> Read(Verified document)
    {
        var fields = document.Read();
        var name = fields.String("name");
        var sha256 = fields.String("sha256");
        var length = fields.Integer("length", 1, MostLength);
        fields.NoOthers();
        return fields.Refusal is { } breach ? breach : new ReleaseDescriptor(name, sha256, length);
    }

    public Json.Object Write(DateTimeOffset signedAt) => new(
    [
        new("length", new Json.Number(Length)),
        new("name", new Json.String(Name)),
        new("schemaVersion", new Json.Number(SchemaVersion)),
        new("sha256", new Json.String(Sha256)),
        new("signedAt", new Json.String(ManifestDraft.Stamp(signedAt))),
        new("type", new Json.String(Type)),
    ]);
}
