using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using Agent.Shell.Manifests;

namespace Agent.Tests.Manifests;

/// <summary>
/// Something that an attacker does with what was signed, or without it, and the code it is refused with. The host of
/// the world has taken version 5 of the channel; attacks come with version 6 unless the version is what they are about.
/// </summary>
/// <param name="Class">The attack in general. One class has one code.</param>
/// <param name="What">This case of it.</param>
/// <param name="RunAsync">Commits it and answers the code.</param>
internal sealed record Attack(string Class, string What, string Code, Func<ManifestWorld, Task<string>> RunAsync)
{
    public const long Held = 5;
    public const long Next = 6;

    /// <summary>By the door that every manifest comes through.</summary>
    public static Attack Offer(string of, string what, string code, Func<ManifestWorld, Bundle> bundle) =>
        new(of, what, code, world => world.OfferAsync(bundle(world)));

    public static IReadOnlyList<Attack> All { get; } =
    [
        .. SignatureAttacks.All, .. TrustAttacks.All, .. HistoryAttacks.All, .. FormAttacks.All, .. PartAttacks.All,
    ];

    public override string ToString() => $"{Class}: {What}";
}
