using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Agent.Core.Model;

namespace Agent.Shell.Effects;

/// <summary>
/// One file per process under the state directory, 0600 in a 0700 directory, written before the spawn is journaled
/// and removed when the process is reaped. A restart after the agent's own restart finds its environment here.
/// </summary>
internal sealed class SpawnSecrets : ISpawnSecrets
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly string _directory;
    private readonly byte[] _key;

    public SpawnSecrets(string directory)
    {
        _directory = directory;
        Directory.CreateDirectory(directory, Private | UnixFileMode.UserExecute);
        _key = Key(Path.Combine(directory, "digest.key"));
    }

    /// <summary>By it a digest tells that a secret changed, and nobody can try guesses against it.</summary>
    public ReadOnlyMemory<byte> DigestKey => _key;

    public void Put(ProcessId id, IReadOnlyDictionary<string, string> environment, ReadOnlyMemory<byte> prelude)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteStartObject("environment"u8);
            foreach (var (name, value) in environment) json.WriteString(name, value);
            json.WriteEndObject();
            json.WriteBase64String("prelude"u8, prelude.Span);
            json.WriteEndObject();
        }

        Write(PathOf(id), bytes.WrittenSpan);
    }

    /// <summary>What was put for this process; empty for one that nothing was put for.</summary>
    public (IReadOnlyDictionary<string, string> Environment, byte[] Prelude) Get(ProcessId id)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        var path = PathOf(id);
        if (!File.Exists(path)) return (environment, []);
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        foreach (var variable in document.RootElement.GetProperty("environment"u8).EnumerateObject())
        {
            environment[variable.Name] = variable.Value.GetString() ?? "";
        }

        return (environment, document.RootElement.GetProperty("prelude"u8).GetBytesFromBase64());
    }

    public void Remove(ProcessId id) => File.Delete(PathOf(id));

    /// <summary>Forgets those of processes that are not known: whoever asked for them did not live to see the answer.</summary>
    public void RemoveAllBut(Func<ProcessId, bool> isKnown)
    {
        foreach (var path in Directory.GetFiles(_directory))
        {
            if (ProcessId.Parse(Path.GetFileName(path)).TryGet(out var id) && !isKnown(id)) File.Delete(path);
        }
    }

    /// <summary>
    /// Tells whether an environment changed, without telling what is in it: a digest under a key of this host.
    /// </summary>
    public string Digest(IReadOnlyDictionary<string, string> environment)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        foreach (var name in new SortedSet<string>(environment.Keys, StringComparer.Ordinal))
        {
            mac.AppendData(Encoding.UTF8.GetBytes($"{name}\0{environment[name]}\0"));
        }

        return Convert.ToHexStringLower(mac.GetHashAndReset().AsSpan(0, 16));
    }

    private string PathOf(ProcessId id) => Path.Combine(_directory, id.Value);

    private static byte[] Key(string path)
    {
        if (File.Exists(path) && File.ReadAllBytes(path) is { Length: 32 } known) return known;
        var key = RandomNumberGenerator.GetBytes(32);
        Write(path, key);
        return key;
    }

    // Losing this file to a power cut costs a restart of the process with an empty environment at worst, and the boot
    // that follows a power cut has no process to restart but services, whose environment the configuration gives.
    private static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        var temporary = path + ".new";
        using (var file = new FileStream(temporary, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = Private,
        }))
        {
            file.Write(bytes);
        }

        File.Move(temporary, path, overwrite: true);
    }
}
