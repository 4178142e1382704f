using System.Collections.Generic;
using System.Text.Json.Serialization;

namespace Agent.Shell.Api;

// The shapes of the local API, shared by the server and the command line. A request refuses what it does not know,
// because a misspelt limit must not be ignored; an answer may grow, so its readers skip what they do not know.
// Numbers ending in Ms are milliseconds, times are RFC 3339 in UTC, choices are the names that api.md lists.

/// <summary>What went wrong, as problem+json. <paramref name="Code"/> is stable, the texts are for people.</summary>
internal sealed record Problem(string Code, string Title, int Status, string? Detail = null, string? Field = null)
{
    public const string MediaType = "application/problem+json";
}

/// <param name="Containers">Left out where none is declared or known.</param>
/// <param name="Rollouts">The newest of each channel.</param>
/// <param name="Plane">Left out where none is configured.</param>
/// <param name="ClockSuspect">Why, and what to do; left out while the machine's clock and the agent's agree.</param>
internal sealed record StatusInfo(
    string Version,
    string Instance,
    string BootId,
    long UptimeMs,
    bool KeeperConnected,
    JournalInfo Journal,
    RuntimeInfo Runtime,
    ProcessCounts Counts,
    ContainerCounts? Containers,
    IReadOnlyList<RolloutInfo> Rollouts,
    PlaneInfo? Plane,
    string? ClockSuspect,
    string Program,
    string? KeeperProgram,
    string? UpgradeFailure);

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record UpgradeRequest(string? Program = null, long? TimeoutMs = null);

internal sealed record UpgradeAnswer(ProgramInfo From, ProgramInfo To);

internal sealed record ProgramInfo(string Version, string Program);

/// <summary>The newest durable record, and the digest of the state that stands after it.</summary>
internal sealed record JournalInfo(long Seq, string Digest);

/// <summary>The processes that the caller may see, by where they stand.</summary>
internal sealed record ProcessCounts(int Starting, int Running, int Stopping, int Backoff, int Exited);

/// <param name="State">notStarted, starting, ready, degraded or failed.</param>
/// <param name="Attempt">The number of the newest attempt, from 1; 0 before the first.</param>
/// <param name="Cause">Why the last attempt or ready runtime ended; a new attempt does not hide it.</param>
/// <param name="RetryAt">When the agent tries again by itself, if it does.</param>
/// <param name="Since">Since when it is starting or ready.</param>
internal sealed record RuntimeInfo(
    string State,
    int Attempt,
    string? Endpoint,
    string? Message,
    RuntimeCause? Cause,
    string? RetryAt,
    string? Since,
    IReadOnlyList<ServiceInfo> Services);

/// <summary>The failure of one attempt; with a daemon, its exit and its last lines if that was the cause.</summary>
internal sealed record RuntimeCause(
    int Attempt,
    string At,
    string Text,
    string? Daemon,
    int? ExitCode,
    int? Signal,
    IReadOnlyList<string> LogTail,
    bool CircuitOpen);

/// <param name="Status">ready, not_ready or error.</param>
/// <param name="Owned">Whether this agent started it; what it did not start it never stops.</param>
internal sealed record ServiceInfo(string Name, string Status, string Detail, int? Pid, bool Owned);

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record EnsureRequest(bool StartIfNeeded = false);

/// <param name="Status">started, reused, starting or failed.</param>
internal sealed record EnsureAnswer(bool Ready, string? Endpoint, string Message, string Status);

/// <summary>What to run. Whatever is left out has the default that the documentation of the API names.</summary>
/// <param name="Prelude">Base64: written to stdin at once, which then closes.</param>
/// <param name="Overflow">dropOldest or backpressure.</param>
/// <param name="StopSignal">The name of a signal, such as term.</param>
/// <param name="Restart">never, onFailure or always.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record SpawnRequest(
    IReadOnlyList<string?>? Command = null,
    IReadOnlyDictionary<string, string?>? Env = null,
    string? Cwd = null,
    string? User = null,
    string? Label = null,
    string? Stdin = null,
    string? Prelude = null,
    string? Overflow = null,
    long? RingBytes = null,
    long? MaxLifetimeMs = null,
    long? IdleTimeoutMs = null,
    long? ExitRetentionMs = null,
    string? StopSignal = null,
    long? GraceMs = null,
    string? Restart = null,
    SpawnLimits? Limits = null);

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record SpawnLimits(
    long? MemoryBytes = null, double? Cpus = null, int? Pids = null, int? OpenFiles = null);

/// <param name="Uid">The user id that owns it.</param>
/// <param name="Kind">task, service or daemon.</param>
/// <param name="Phase">starting, running, stopping, backoff or exited.</param>
/// <param name="Detail">What it waits for, or why it is where it is, in words.</param>
/// <param name="Exit">How it ended; in backoff, how its last incarnation did.</param>
/// <param name="Generation">Counts its incarnations from 1.</param>
/// <param name="CrashLooping">Five exits within a minute.</param>
/// <param name="Adopted">It was already running when this agent started.</param>
/// <param name="Ready">It runs and, where it tells so, is ready.</param>
internal sealed record ProcessInfo(
    string Id,
    string Label,
    string Kind,
    uint Uid,
    IReadOnlyList<string> Command,
    int? Pid,
    string Phase,
    string? Detail,
    ExitInfo? Exit,
    long AgeMs,
    long IdleMs,
    long BufferedBytes,
    long BytesDropped,
    bool StdinOpen,
    int Restarts,
    bool CrashLooping,
    int Generation,
    bool Adopted,
    bool Ready);

/// <param name="Code">Its exit code, if it exited.</param>
/// <param name="Signal">The number of the signal that ended it, if one did.</param>
/// <param name="Reason">exited, stopped, killed, lifetime, idle, out-of-memory, lost, spawn-failed, not-ready or shutdown.</param>
/// <param name="LastOutput">Only in the answer of a stop.</param>
internal sealed record ExitInfo(
    int? Code,
    int? Signal,
    string Reason,
    string? Detail,
    long CpuMs,
    long PeakMemoryBytes,
    LastOutput? LastOutput = null);

/// <summary>The last whole lines of each stream, as text; what is no UTF-8 is replaced.</summary>
internal sealed record LastOutput(IReadOnlyList<string> Stdout, IReadOnlyList<string> Stderr);

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record IdsRequest(IReadOnlyList<string?>? Ids = null);

/// <param name="Signal">term, hup, usr1, usr2, int, quit, stop, cont or kill.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record SignalRequest(string? Signal = null);

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record WaitRequest(long? TimeoutMs = null);

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record StopRequest(long? GraceMs = null);

/// <summary>How many bytes of the call went in; fewer than were sent if the child did not read in time.</summary>
internal sealed record WrittenAnswer(long Written);

internal sealed record HealthAnswer(string Status);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(StatusInfo))]
[JsonSerializable(typeof(PlaneInfo))]
[JsonSerializable(typeof(RuntimeInfo))]
[JsonSerializable(typeof(EnsureRequest))]
[JsonSerializable(typeof(EnsureAnswer))]
[JsonSerializable(typeof(SpawnRequest))]
[JsonSerializable(typeof(ProcessInfo))]
[JsonSerializable(typeof(IReadOnlyList<ProcessInfo>))]
[JsonSerializable(typeof(UsageInfo))]
[JsonSerializable(typeof(TreeInfo))]
[JsonSerializable(typeof(IReadOnlyList<TreeInfo>))]
[JsonSerializable(typeof(ExitInfo))]
[JsonSerializable(typeof(IdsRequest))]
[JsonSerializable(typeof(SignalRequest))]
[JsonSerializable(typeof(WaitRequest))]
[JsonSerializable(typeof(StopRequest))]
[JsonSerializable(typeof(WrittenAnswer))]
[JsonSerializable(typeof(HealthAnswer))]
[JsonSerializable(typeof(ContainersInfo))]
[JsonSerializable(typeof(ContainerInfo))]
[JsonSerializable(typeof(CompanionsInfo))]
[JsonSerializable(typeof(UpRequest))]
[JsonSerializable(typeof(DownRequest))]
[JsonSerializable(typeof(UpgradeRequest))]
[JsonSerializable(typeof(UpgradeAnswer))]
[JsonSerializable(typeof(ApplyRequest))]
[JsonSerializable(typeof(RolloutInfo))]
[JsonSerializable(typeof(IReadOnlyList<RolloutInfo>))]
internal sealed partial class WireJson : JsonSerializerContext;
