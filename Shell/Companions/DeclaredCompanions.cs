using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using Agent.Core.Companion;
using Agent.Core.Model;
using LanguageExt;

namespace Agent.Shell.Companions;

/// <summary>
/// The companions that the configuration declares now, and the folder that is to have them. Whoever writes one asks for
/// its bytes by their digest: they may have been replaced meanwhile.
/// </summary>
internal sealed class DeclaredCompanions(string instance, ReadOnlyMemory<byte> key)
{
    private readonly Lock _gate = new();
    private string _units = CompanionSettings.DefaultUnits;
    private UnitFolder _folder = new(CompanionSettings.DefaultUnits, instance, key);
    private Dictionary<CompanionName, (byte[] Bytes, string Digest)> _declared = [];

    public string Units
    {
        get
        {
            lock (_gate) return _units;
        }
    }

    public UnitFolder Folder
    {
        get
        {
            lock (_gate) return _folder;
        }
    }

    /// <summary>Takes the place of what was declared, and says it as the core wants to hear it.</summary>
    public CompanionsEvent.Declared Declare(CompanionSettings settings)
    {
        var folder = new UnitFolder(settings.Units, instance, key, CompanionSettings.Folders);
        var declared = new Dictionary<CompanionName, (byte[] Bytes, string Digest)>();
        var specs = new List<CompanionSpec>();
        foreach (var one in settings.Definitions)
        {
            var bytes = folder.BytesOf(one);
            declared[one.Name] = (bytes, folder.DigestOf(bytes));
            specs.Add(new(one.Name, declared[one.Name].Digest, one.Start, one.Restart, one.After.ToArray().ToSeq()));
        }

        lock (_gate) (_units, _folder, _declared) = (settings.Units, folder, declared);
        return new(specs.ToArray().ToSeq());
    }

    /// <summary>The bytes with this digest.</summary>
    /// <exception cref="IOException">It is declared no more, or otherwise.</exception>
    public byte[] Find(CompanionName name, string digest)
    {
        lock (_gate)
        {
            return _declared.TryGetValue(name, out var one) && one.Digest == digest
                ? one.Bytes
                : throw new IOException($"the declaration of {name} changed meanwhile");
        }
    }
}
