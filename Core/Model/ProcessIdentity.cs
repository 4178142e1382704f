namespace Agent.Core.Model;

/// <summary>
/// One incarnation of an operating-system process. A pid alone is reused; with its start time (clock ticks since
/// boot) and the boot it belongs to it never is.
/// </summary>
public sealed record ProcessIdentity(int Pid, long StartTime, BootId Boot);

/// <summary>The kernel's random name of this boot.</summary>
public sealed record BootId(string Value)
{
    public override string ToString() => Value;
}
