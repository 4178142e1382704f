using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Xunit;

namespace Agent.Tests.Trust;

/// <summary>Public test vectors, which lie beside the checkout and are no part of it.</summary>
internal static class Vectors
{
    private static string Folder { get; } = FindFolder();

    /// <summary>The files of a set by name, in order; the test is skipped where the set is absent.</summary>
    public static IReadOnlyList<(string Name, byte[] Bytes)> Files(string set, string pattern = "*.json")
    {
        var folder = Path.Combine(Folder, set);
        Skip.IfNot(Directory.Exists(folder), $"the vectors are not at ../shared/vectors/{set}");
        return [.. Directory.GetFiles(folder, pattern).Order(System.StringComparer.Ordinal)
            .Select(path => (Path.GetFileNameWithoutExtension(path), File.ReadAllBytes(path)))];
    }

    /// <summary>Every case of a Wycheproof file with the group it stands in.</summary>
    public static IReadOnlyList<(JsonElement Group, JsonElement Case)> Wycheproof(string file)
    {
        var (_, bytes) = Files("wycheproof", file + ".json").SingleOrDefault();
        Skip.If(bytes is null, $"the vectors {file} are not at ../shared/vectors/wycheproof");
        var root = JsonDocument.Parse(bytes).RootElement;
        return [.. root.GetProperty("testGroups").EnumerateArray()
            .SelectMany(group => group.GetProperty("tests").EnumerateArray(), (group, one) => (group, one))];
    }

    private static string FindFolder([CallerFilePath] string caller = "") => Path.GetFullPath(
        Path.Combine(Path.GetDirectoryName(caller)!, "..", "..", "..", "shared", "vectors"));
}
