using Agent.Core.Model;

namespace Agent.Core.Companion;

/// <summary>One look at a unit: its file on the disk, and what systemd says of it.</summary>
public sealed record ObservedCompanion(CompanionName Name, UnitFile File, UnitActivity Activity);

/// <summary>The file of a companion's name.</summary>
public abstract record UnitFile
{
    private UnitFile() { }

    public sealed record Absent : UnitFile;

    /// <summary>It bears this agent's mark; <paramref name="Digest"/> is of the bytes that it has.</summary>
    public sealed record Ours(string Digest) : UnitFile;

    /// <summary>Somebody else's, or systemd takes the unit from another place: nothing is done to it.</summary>
    public sealed record Foreign(string Reason) : UnitFile;
}

/// <summary>What systemd says of a unit. Whatever is not known to be one of the others is Unknown.</summary>
public abstract record UnitActivity
{
    private UnitActivity() { }

    public sealed record Active : UnitActivity;

    /// <summary>Its start is under way. <paramref name="Again"/>: it failed, and systemd waits to start it anew by itself.</summary>
    public sealed record Activating(bool Again) : UnitActivity;

    public sealed record Deactivating : UnitActivity;

    public sealed record Inactive : UnitActivity;

    /// <summary>In systemd's own words.</summary>
    public sealed record Failed(string Words) : UnitActivity;

    /// <summary>systemd has no unit of that name.</summary>
    public sealed record Missing : UnitActivity;

    /// <summary>systemd's own word for it.</summary>
    public sealed record Unknown(string Text) : UnitActivity;
}
