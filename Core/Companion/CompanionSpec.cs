using Agent.Core.Model;

namespace Agent.Core.Companion;

/// <summary>
/// What decisions need of a declared companion; what stands in its file is the shell's matter.
/// <list type="bullet">
/// <item><paramref name="Digest"/>: a keyed hash over the bytes of its file.</item>
/// <item><paramref name="Start"/>: it is to be active. Otherwise it is written, and started by whoever needs it.</item>
/// <item><paramref name="Restart"/>: an active one whose bytes were changed is restarted, so that they have an effect.</item>
/// <item><paramref name="After"/>: it is not started until these are active.</item>
/// </list>
/// </summary>
public sealed record CompanionSpec(
    CompanionName Name, string Digest, bool Start, bool Restart, Seq<CompanionName> After)
{
    public bool SameAs(CompanionSpec other)
    {
        if (Name != other.Name || Digest != other.Digest || Start != other.Start || Restart != other.Restart) return false;
        if (After.Count != other.After.Count) return false;
        for (var i = 0; i < After.Count; i++)
        {
            if (After[i] != other.After[i]) return false;
        }

        return true;
    }
}
