using System;
using System.Linq;
using System.Text.Json;
using Agent.Core.Model;

namespace Agent.Shell.Containers.Engine;

/// <summary>
/// One row of the engine's list that bears this agent's labels. <paramref name="Digest"/> is empty, and so no
/// definition's, where the container runs another image than the one that it was made of: another program recreated it
/// and copied its labels.
/// </summary>
internal sealed record EngineRow(string Id, ContainerUid Uid, string Digest, bool HasItsName)
{
    /// <summary>Engines give 64 hexadecimal digits.</summary>
    private const int MaxIdLength = 128;

    public static EngineRow? Read(JsonElement row, ContainerLabels names)
    {
        var labels = row.Member("Labels");
        if (labels.Text(ContainerLabels.InstanceKey) != names.Instance) return null;
        if (row.Text("Id") is not { } id || !IsId(id)) return null;
        if (!ContainerUid.Parse(labels.Text(ContainerLabels.UidKey) ?? "").TryGet(out var uid)) return null;
        var name = names.NameOf(uid);
        var hasItsName = row.Member("Names").Items().Any(
            one => one.Text()?.TrimStart('/') == name);
        var isItsImage = labels.Text(ContainerLabels.ImageKey) is not { } made
            || row.Text("ImageID") is not { } runs || EngineImages.IsSame(made, runs);
        return new(id, uid, isItsImage ? labels.Text(ContainerLabels.SpecKey) ?? "" : "", hasItsName);
    }

    /// <summary>An id stands in paths as it is.</summary>
    public static bool IsId(string text) => text.Length is > 0 and <= MaxIdLength && text.All(char.IsAsciiLetterOrDigit);
}
