using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using Agent.Core.Companion;
using Agent.Core.Model;
using Agent.Shell.Linux;

namespace Agent.Shell.Companions;

/// <summary>
/// The files of companions. One is this agent's if its first line says so; no other is ever written or deleted, and
/// another agent's bears another mark. Where the folder was another before, its files there are ours too, until they are
/// written anew here.
/// </summary>
/// <param name="others">Where files of this agent may be from before its folder was changed.</param>
internal sealed class UnitFolder(string folder, string instance, ReadOnlyMemory<byte> key, params IReadOnlyList<string> others)
{
    /// <summary>The mark, what is declared, and what a stranger may have added to it.</summary>
    private const int MaxBytes = 4 * CompanionDefinition.MaxBytes;

    /// <summary>systemd shows everybody what is in it, and complains of a unit that not everybody may read.</summary>
    private const UnixFileMode Mode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private readonly string _mark = $"# Companion of agent {instance}: it writes this file, and undoes what others change in it.\n";

    public string PathOf(CompanionName name) => Path.Combine(folder, name.Value);

    /// <summary>What the file of a declared companion is to hold.</summary>
    public byte[] BytesOf(CompanionDefinition definition) =>
        Encoding.UTF8.GetBytes(_mark + definition.Text + (definition.Text.EndsWith('\n') ? "" : "\n"));

    /// <summary>HMAC-SHA-256 in hexadecimal digits: a plain hash in the journal would let anybody try guesses against it.</summary>
    public string DigestOf(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(HMACSHA256.HashData(key.Span, bytes));

    /// <summary>
    /// The file that counts, given the one that systemd goes by: what this agent left in another folder stands until it is
    /// written here.
    /// </summary>
    public string PathOf(CompanionName name, string fragment) =>
        OldPaths(name).Contains(fragment, StringComparer.Ordinal) && Read(fragment) is UnitFile.Ours ? fragment : PathOf(name);

    public UnitFile Read(CompanionName name) => Read(PathOf(name));

    /// <exception cref="IOException">It is there and cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public UnitFile Read(string path)
    {
        var file = new FileInfo(path);
        if (file.LinkTarget is { } target) return new UnitFile.Foreign($"{path} is a link to {target}, which the agent did not make");
        if (Directory.Exists(path)) return new UnitFile.Foreign($"{path} is a folder");
        if (!file.Exists) return new UnitFile.Absent();
        var bytes = new byte[MaxBytes];
        using var stream = File.OpenRead(path);
        var content = bytes.AsSpan(0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
        return content.StartsWith(Encoding.UTF8.GetBytes(_mark))
            ? new UnitFile.Ours(DigestOf(content))
            : new UnitFile.Foreign($"{path} was not written by this agent; move it away, or declare the companion by another name");
    }

    /// <exception cref="IOException">The file there is not ours.</exception>
    /// <exception cref="FileFailure">It cannot be written.</exception>
    public void Write(CompanionName name, byte[] bytes)
    {
        if (Read(name) is UnitFile.Foreign(var reason)) throw new IOException(reason);
        var path = PathOf(name);
        Files.Replace(path, bytes);
        File.SetUnixFileMode(path, Mode);
        foreach (var old in OldPaths(name)) DeleteOurs(old);
    }

    /// <summary>Whether a file of ours is there, here or where it was before.</summary>
    public bool Has(CompanionName name) => OldPaths(name).Prepend(PathOf(name)).Any(path => Read(path) is UnitFile.Ours);

    /// <summary>Afterwards none of ours is there; one that is not ours stays.</summary>
    public void Delete(CompanionName name)
    {
        foreach (var path in OldPaths(name).Prepend(PathOf(name))) DeleteOurs(path);
    }

    private IEnumerable<string> OldPaths(CompanionName name) =>
        others.Where(other => other != folder).Select(other => Path.Combine(other, name.Value));

    private void DeleteOurs(string path)
    {
        if (Read(path) is not UnitFile.Ours) return;
        File.Delete(path);
        Files.SyncDirectory(Path.GetDirectoryName(path)!);
    }
}
