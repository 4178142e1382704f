using System;
using System.Globalization;
using Agent.Core.Model;

namespace Agent.Shell.Effects;

/// <summary>
/// Names one spawn to the keeper: process id and generation, written `id.generation`. The keeper starts one process
/// for one key.
/// </summary>
internal readonly record struct SpawnKey(ProcessId Id, int Generation)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Id.Value}.{Generation}");

    public static SpawnKey? Parse(string text)
    {
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        return dot > 0
            && ProcessId.Parse(text[..dot]).TryGet(out var id)
            && int.TryParse(text.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var generation)
                ? new SpawnKey(id, generation)
                : null;
    }
}
