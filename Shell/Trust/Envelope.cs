using System.Globalization;

namespace Agent.Shell.Trust;

/// <summary>What every signed document begins with: its type and the version of that type's shape.</summary>
internal static class Envelope
{
    // More versions of a shape than any document will have.
    private const int MostSchemaVersion = 1_000_000;

    /// <summary>The fields of a document that are its own: those that every document has are read already.</summary>
    public static Fields Within(Json document)
    {
        var fields = Fields.Of(document);
        fields.String("type");
        fields.Integer("schemaVersion", 0, MostSchemaVersion);
        fields.Time("signedAt");
        fields.OptionalTime("expiresAt");
        return fields;
    }

    /// <summary>
    /// Reads both. A document signed for one purpose must not be taken for another, and one of a later shape may mean
    /// what this agent does not know.
    /// </summary>
    public static Refusal? Fault(Fields fields, string type, int schemaVersion)
    {
        var found = fields.String("type");
        var version = fields.Integer("schemaVersion", 0, MostSchemaVersion);
        if (fields.Refusal is { } breach) return breach;
        if (found != type) return new(TrustFault.WrongType, $"it is '{found}' where '{type}' is asked for");
        return version == schemaVersion
            ? null
            : new(TrustFault.SchemaVersion, string.Create(
                CultureInfo.InvariantCulture, $"its schema version is {version}, this agent knows {schemaVersion}"));
    }
}
