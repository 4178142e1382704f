namespace Agent.Core.Model;

/// <summary>Who asks: the user id that the kernel vouches for. The host itself and its operator are root.</summary>
public readonly record struct Principal(uint Uid)
{
    public static Principal Root => default;

    public bool IsRoot => Uid == 0;

    /// <summary>Root sees everything; everyone else sees what is theirs.</summary>
    public bool MayTouch(Principal owner) => IsRoot || Uid == owner.Uid;
}
