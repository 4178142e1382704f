using Agent.Core.Model;
using Agent.Core.Time;

namespace Agent.Core.Runtime;

/// <summary>What the shell must do for the runtime. Data only.</summary>
public abstract record RuntimeEffect
{
    private RuntimeEffect() { }

    /// <summary>
    /// Bring containerd and dockerd up, beginning with what already answers. Answered by StartCompleted or
    /// StartFailed of the same attempt; issuing one attempt twice is harmless.
    /// </summary>
    public sealed record StartRuntime(int Attempt, Instant Until) : RuntimeEffect;

    /// <summary>Stop these daemons, in this order, as far as this agent started them and they still live.</summary>
    public sealed record StopDaemons(Seq<string> Daemons) : RuntimeEffect;

    /// <summary>The event changed nothing, and why.</summary>
    public sealed record Reject(ErrorCode Code, string Reason) : RuntimeEffect;
}
