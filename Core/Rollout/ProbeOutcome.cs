namespace Agent.Core.Rollout;

/// <summary>What one run of a probe found. Inconclusive: it could not be run, which is neither good nor bad.</summary>
public abstract record ProbeOutcome
{
    /// <summary>Longer details are cut by the shell; one line of an answer is what people read.</summary>
    public const int MaxDetail = 512;

    private ProbeOutcome(string detail) => Detail = detail;

    public string Detail { get; }

    public sealed record Passed(string Detail) : ProbeOutcome(Detail);

    public sealed record Failed(string Detail) : ProbeOutcome(Detail);

    public sealed record Inconclusive(string Detail) : ProbeOutcome(Detail);
}

/// <summary>One finding of an evidence file, as it was judged.</summary>
public sealed record ControlResult(
    string Control, bool Passed, ProbeMode Mode, Option<string> Framework, Option<string> Article, Option<string> Reason);
