namespace Agent.Core.Model;

/// <summary>Two sequences as one.</summary>
public static class SeqJoining
{
    /// <summary>
    /// The second behind the first. Seq's own Concat holds its operands in a Seq of Seqs, whose own Concat would hold a Seq
    /// of those, and so on: a native build finds no end of types.
    /// </summary>
    public static Seq<T> Join<T>(this Seq<T> first, Seq<T> second)
    {
        if (first.IsEmpty) return second;
        if (second.IsEmpty) return first;
        var all = new T[first.Count + second.Count];
        var at = 0;
        foreach (var item in first) all[at++] = item;
        foreach (var item in second) all[at++] = item;
        return all.ToSeq();
    }
}
