using System.Security.Cryptography;
using Agent.Core.Model;

namespace Agent.Shell.Effects;

/// <summary>Makes the ids that events carry into the core.</summary>
internal static class Ids
{
    private const string Base32 = "abcdefghijklmnopqrstuvwxyz234567";

    /// <summary>26 letters of five bits each: 130 random bits, never met twice and never guessed.</summary>
    public static ProcessId New() =>
        ProcessId.Parse(RandomNumberGenerator.GetString(Base32, 26)).IfNoneUnsafe(() => null!)!;
}
