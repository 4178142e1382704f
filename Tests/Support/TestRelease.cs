using System;
using System.IO;
using System.Security.Cryptography;

namespace Agent.Tests.Support;

/// <summary>A release as it is published: an archive, and what a manifest says about it.</summary>
internal sealed record TestRelease(string Path, string Sha256, long Length)
{
    /// <summary>
    /// Packs files into a tar.gz in a folder, the same bytes for the same files. What begins with "#!" is executable.
    /// </summary>
    public static TestRelease Make(string folder, params (string Name, string Text)[] files)
    {
        var tar = new TarBytes();
        foreach (var (name, text) in files)
        {
            tar.Add(name, text, mode: text.StartsWith("#!", StringComparison.Ordinal) ? 0x1EDu : 0x1A4u);
        }

        return Of(folder, tar.ToGzip());
    }

    /// <summary>Any bytes, with a hash and a length that are right.</summary>
    public static TestRelease Of(string folder, byte[] archive)
    {
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(archive));
        var path = System.IO.Path.Combine(folder, sha256 + ".tar.gz");
        File.WriteAllBytes(path, archive);
        return new TestRelease(path, sha256, archive.Length);
    }

    /// <summary>One that was made before, by its path.</summary>
    public static TestRelease At(string path) =>
        new(path, System.IO.Path.GetFileName(path)[..64], new FileInfo(path).Length);
}
