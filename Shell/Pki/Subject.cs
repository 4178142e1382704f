using System.Linq;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Agent.Shell.Pki;

/// <summary>
/// The subject of what the authority issues: OU says what kind of caller it is, CN its name. The authority writes the
/// OU itself, so no name, however chosen, reads as another kind.
/// </summary>
/// <param name="Unit">One of <see cref="Host"/> and <see cref="Operator"/>.</param>
internal sealed record Subject(string Unit, string Name)
{
    public const string Host = "host";
    public const string Operator = "operator";

    private const string CommonNameOid = "2.5.4.3";
    private const string UnitOid = "2.5.4.11";

    public X500DistinguishedName Encode()
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddOrganizationalUnitName(Unit);
        builder.AddCommonName(Name);
        return builder.Build();
    }

    /// <summary>A name of one CN and nothing else, as a request has it.</summary>
    public static X500DistinguishedName Only(string commonName)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(commonName);
        return builder.Build();
    }

    /// <summary>Null unless it is one OU and one CN, in parts of their own.</summary>
    public static Subject? Read(X500DistinguishedName name) =>
        Parts(name) is [_, _] parts
            && parts.SingleOrDefault(part => part.Oid == UnitOid).Value is { } unit
            && parts.SingleOrDefault(part => part.Oid == CommonNameOid).Value is { } own
            ? new(unit, own)
            : null;

    /// <summary>The CN where it is all there is.</summary>
    public static string? ReadOnly(X500DistinguishedName name) =>
        Parts(name) is [{ Oid: CommonNameOid, Value: { } own }] ? own : null;

    /// <summary>Null where a part is not one attribute with a text, or it is no name at all.</summary>
    private static (string? Oid, string? Value)[]? Parts(X500DistinguishedName name)
    {
        try
        {
            var parts = name.EnumerateRelativeDistinguishedNames().ToArray();
            return parts.Any(part => part.HasMultipleElements)
                ? null
                : [.. parts.Select(part => (part.GetSingleElementType().Value, part.GetSingleElementValue()))];
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
