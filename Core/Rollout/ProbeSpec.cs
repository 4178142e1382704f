using Agent.Core.Model;

namespace Agent.Core.Rollout;

/// <summary>
/// One health check of a rollout. It passes with <paramref name="SuccessThreshold"/> passes in a row and fails with
/// <paramref name="FailureThreshold"/> failures in a row; the first try comes <paramref name="InitialDelay"/> after
/// the activation.
/// </summary>
public sealed record ProbeSpec(
    ProbeName Name,
    ProbeMode Mode,
    TimeSpan Interval,
    TimeSpan Timeout,
    TimeSpan InitialDelay,
    int SuccessThreshold,
    int FailureThreshold,
    ProbeCheck Check)
{
    public static TimeSpan DefaultInterval => TimeSpan.FromSeconds(30);

    /// <summary>A shorter one would be a load of its own.</summary>
    public static TimeSpan ShortestInterval => TimeSpan.FromSeconds(1);

    /// <summary>Within less even a healthy check on a busy host would fail.</summary>
    public static TimeSpan ShortestTimeout => TimeSpan.FromMilliseconds(100);

    public static TimeSpan DefaultTimeout => TimeSpan.FromSeconds(10);

    public static TimeSpan LongestTimeout => TimeSpan.FromMinutes(5);

    public const int MaxThreshold = 100;

    public bool Gates => Mode == ProbeMode.Enforce;
}

/// <summary>Names a probe within its rollout: letters, digits, `-`, `_` and `.`, at most 64.</summary>
public sealed record ProbeName
{
    public const int MaxLength = 64;

    private ProbeName(string value) => Value = value;

    public string Value { get; }

    public static Option<ProbeName> Parse(string text)
    {
        if (text is null || text.Length is 0 or > MaxLength) return None;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')) return None;
        }

        return new ProbeName(text);
    }

    public override string ToString() => Value;
}

public enum ProbeMode
{
    /// <summary>It gates: without its pass nothing converges, and its lasting failure ends the rollout.</summary>
    Enforce,

    /// <summary>It is run and told, and decides nothing.</summary>
    Observe,

    /// <summary>It is not run.</summary>
    Disabled,
}

/// <summary>What a probe looks at.</summary>
public abstract record ProbeCheck
{
    private ProbeCheck() { }

    /// <summary>A GET answers with this status, and its body contains the text, if one is given.</summary>
    public sealed record Http(string Address, int Status, Option<string> Contains) : ProbeCheck;

    /// <summary>The port takes a connection.</summary>
    public sealed record Tcp(string Host, int Port) : ProbeCheck;

    /// <summary>The command exits with 0. It runs as a process of its own and is killed at the timeout.</summary>
    public sealed record Exec(Seq<string> Command) : ProbeCheck;

    /// <summary>The service of this name runs and does not crash-loop.</summary>
    public sealed record Process(string Service) : ProbeCheck;

    /// <summary>The container runtime is ready.</summary>
    public sealed record Runtime : ProbeCheck;

    /// <summary>
    /// The container of this name, a declared one before any other of the engine's, runs and, where it has a health
    /// check, is healthy.
    /// </summary>
    public sealed record Container(string Name) : ProbeCheck;

    /// <summary>
    /// A signed file of findings, not older than <paramref name="MaxAge"/>. Each listed control counts in its own mode;
    /// with a <paramref name="Framework"/> its findings alone count, those of unlisted controls in the probe's mode.
    /// </summary>
    public sealed record Evidence(string Path, Option<string> Framework, Seq<EvidenceControl> Controls, TimeSpan MaxAge)
        : ProbeCheck;
}

/// <summary>A control as the manifest wants it judged; the reason says why its mode differs from the probe's.</summary>
public sealed record EvidenceControl(string Id, ProbeMode Mode, Option<string> Reason);
