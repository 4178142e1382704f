using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Keeper;
using LanguageExt;

namespace Agent.Shell.Api;

/// <summary>
/// Turns what a caller wants to run into what the core can decide about, or says which field is at fault. Pure but
/// for the question whether a directory is there.
/// </summary>
internal static class SpawnRequests
{
    public const int MaxArguments = 1024;

    // The kernel's limit of one argument is 128 KiB with its closing NUL.
    public const int MaxArgumentBytes = (128 << 10) - 1;

    // Half of what execve takes in all by default; the environment has the other half.
    public const int MaxCommandBytes = 1 << 20;

    // Of a user's: it stands in the journal, in each snapshot and in every list, where only the caller knows whether it is
    // worth it.
    public const int MaxUserCommandBytes = 64 << 10;

    private const int MaxPathBytes = 4095;
    private const int MaxUserBytes = 32;

    // An exit that is forgotten at once could be missed by the one who waits for it.
    private static readonly TimeSpan MinRetention = TimeSpan.FromSeconds(1);

    // Shorter than this it would be stopped while it starts.
    private static readonly TimeSpan MinLifetime = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan MaxIdle = TimeSpan.FromHours(6);

    public static SpawnTranslation Translate(SpawnRequest request, Principal by, Func<string, bool> directoryExists)
    {
        var longest = by.IsRoot ? MaxCommandBytes : MaxUserCommandBytes;
        if (FaultOfCommand(request.Command, longest) is { } command) return Invalid("command", command);
        if (request.Env is { } env && EnvironmentRules.Fault(env) is var (key, reason))
        {
            return Invalid(key.Length == 0 ? "env" : $"env.{key}", reason);
        }

        if (FaultOfDirectory(request.Cwd, by, directoryExists) is { } cwd) return Invalid("cwd", cwd);
        if (request.User is not null && !by.IsRoot)
        {
            return new SpawnTranslation.Refused(ErrorNames.NotAllowed, "user", "only root may choose the user");
        }

        if (request.User is { } user && !IsUser(user)) return Invalid("user", "is no name of a user");
        if (request.Label is { } label && !Labels.IsValid(label))
        {
            return Invalid("label", $"must be 1 to {Labels.MaxBytes} bytes without control characters");
        }

        if (FaultOfLimits(request.Limits) is var (limited, excess)) return Invalid($"limits.{limited}", excess);
        if (Cgroups.WhyNot(Limits(request.Limits)) is { } why)
        {
            return new SpawnTranslation.Refused(ErrorNames.InvalidInput, "limits", why);
        }

        return FaultOfDurations(request) is var (field, fault) ? Invalid(field, fault) : Choices(request, by);
    }

    private static SpawnTranslation Choices(SpawnRequest request, Principal by)
    {
        if (request.Stdin is not (null or "none" or "open")) return Invalid("stdin", "must be none or open");
        var prelude = Array.Empty<byte>();
        if (request.Prelude is { } text && !TryPrelude(text, out prelude))
        {
            return Invalid("prelude", $"must be base 64 of at most {ProcessSpec.MaxPreludeBytes} bytes");
        }

        if (request.Prelude is not null && request.Stdin == "open")
        {
            return Invalid("prelude", "closes stdin behind it; leave it out and write it to the open stdin");
        }

        if (WireNames.Overflow(request.Overflow ?? "dropOldest") is not { } overflow)
        {
            return Invalid("overflow", "must be dropOldest or backpressure");
        }

        if (WireNames.Signal(request.StopSignal ?? "term") is not { } signal)
        {
            return Invalid("stopSignal", $"must be one of {WireNames.SignalNames}");
        }

        if (WireNames.Policy(request.Restart ?? "never") is not { } restart)
        {
            return Invalid("restart", "must be never, onFailure or always");
        }

        return new SpawnTranslation.Accepted(
            Spec(request, by, overflow, signal, restart), Environment(request.Env), prelude);
    }

    private static ProcessSpec Spec(
        SpawnRequest request, Principal by, Overflow overflow, Signal signal, RestartPolicy restart)
    {
        var command = new List<string>();
        foreach (var argument in request.Command ?? []) command.Add(argument ?? "");
        return new(
            ProcessKind.Task,
            by,
            request.Label ?? Labels.Of(command),
            command.ToArray().ToSeq(),
            Some(request.Cwd),
            by.IsRoot ? Some(request.User) : Some(by.Uid.ToString(CultureInfo.InvariantCulture)),

            // A task is never declared anew, so nobody asks whether its environment changed.
            EnvironmentDigest: "",
            request.Prelude is not null ? StdinMode.Prelude : request.Stdin == "open" ? StdinMode.Open : StdinMode.None,
            overflow,
            (int)Math.Clamp(
                request.RingBytes ?? ProcessSpec.DefaultRingBytes, ProcessSpec.MinRingBytes, ProcessSpec.MaxRingBytes),
            Clamp(request.MaxLifetimeMs, ProcessSpec.DefaultTaskLifetime, MinLifetime, ProcessSpec.DefaultTaskLifetime),
            Clamp(request.IdleTimeoutMs, ProcessSpec.DefaultTaskIdle, TimeSpan.Zero, MaxIdle),
            Clamp(request.ExitRetentionMs, ProcessSpec.DefaultRetention, MinRetention, ProcessSpec.MaxRetention),
            signal,
            Clamp(request.GraceMs, ProcessSpec.DefaultGrace, TimeSpan.Zero, ProcessSpec.MaxGrace),
            restart,
            Seq<string>.Empty)
        {
            Limits = Limits(request.Limits),
        };
    }

    /// <summary>What is wrong with a command, in words that follow its name; null if nothing is.</summary>
    public static string? FaultOfCommand(IReadOnlyList<string?>? command, int longest = MaxCommandBytes)
    {
        if (command is null || command.Count == 0 || string.IsNullOrEmpty(command[0])) return "must name a program";
        if (command.Count > MaxArguments) return $"may have at most {MaxArguments} arguments";
        var total = 0;
        foreach (var argument in command)
        {
            if (argument is null) return "must be a list of texts";
            if (argument.Contains('\0', StringComparison.Ordinal)) return "holds a NUL character";
            var bytes = Encoding.UTF8.GetByteCount(argument);
            if (bytes > MaxArgumentBytes) return $"has an argument longer than {MaxArgumentBytes} bytes";
            total += bytes + 1;
            if (total > longest) return $"is longer than {longest} bytes in all";
        }

        return null;
    }

    /// <summary>Whether it exists is looked at for root alone: the agent sees more than others may know.</summary>
    private static string? FaultOfDirectory(string? path, Principal by, Func<string, bool> exists) =>
        path is null ? null
        : !path.StartsWith('/') ? "must be an absolute path"
        : path.Contains('\0', StringComparison.Ordinal) ? "holds a NUL character"
        : Encoding.UTF8.GetByteCount(path) > MaxPathBytes ? $"is longer than {MaxPathBytes} bytes"
        : by.IsRoot && !exists(path) ? "is no directory"
        : null;

    private static (string Field, string Reason)? FaultOfLimits(SpawnLimits? limits) =>
        limits is null ? null
        : limits.MemoryBytes < ProcessLimits.LeastMemory ? ("memoryBytes", $"must be at least {ProcessLimits.LeastMemory}")
        : limits.Cpus is { } cpus && !(cpus >= 0.001 && cpus * 1000 <= ProcessLimits.MostCpuThousandths)
            ? ("cpus", $"must be from 0.001 to {ProcessLimits.MostCpuThousandths / 1000}")
        : limits.Pids is < 1 or > ProcessLimits.MostPids ? ("pids", $"must be from 1 to {ProcessLimits.MostPids}")
        : limits.OpenFiles is < ProcessLimits.LeastOpenFiles or > ProcessLimits.MostOpenFiles
            ? ("openFiles", $"must be from {ProcessLimits.LeastOpenFiles} to {ProcessLimits.MostOpenFiles}")
        : null;

    private static ProcessLimits Limits(SpawnLimits? limits) => limits is null ? ProcessLimits.None : new(
        Some(limits.MemoryBytes), Some((int?)(limits.Cpus * 1000)), Some(limits.Pids), Some(limits.OpenFiles));

    private static Option<T> Some<T>(T? value)
        where T : struct => value is { } given ? Option<T>.Some(given) : Option<T>.None;

    private static (string Field, string Reason)? FaultOfDurations(SpawnRequest request) =>
        request.RingBytes < 0 ? ("ringBytes", "must not be negative")
        : request.MaxLifetimeMs <= 0 ? ("maxLifetimeMs", "must be more than 0")
        : request.IdleTimeoutMs <= 0 ? ("idleTimeoutMs", "must be more than 0")
        : request.ExitRetentionMs < 0 ? ("exitRetentionMs", "must not be negative")
        : request.GraceMs < 0 ? ("graceMs", "must not be negative")
        : null;

    private static TimeSpan Clamp(long? milliseconds, TimeSpan otherwise, TimeSpan least, TimeSpan most) =>
        milliseconds is not { } given ? otherwise
        : given <= least.TotalMilliseconds ? least
        : given >= most.TotalMilliseconds ? most
        : TimeSpan.FromMilliseconds(given);

    private static bool TryPrelude(string text, out byte[] prelude)
    {
        prelude = [];
        if (text.Length > (ProcessSpec.MaxPreludeBytes / 3 * 4) + 4) return false;
        var bytes = new byte[text.Length / 4 * 3];
        if (!Convert.TryFromBase64String(text, bytes, out var length)) return false;
        prelude = bytes[..length];
        return length <= ProcessSpec.MaxPreludeBytes;
    }

    public static bool IsUser(string user)
    {
        foreach (var c in user)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-' or '.')) return false;
        }

        return user.Length is > 0 and <= MaxUserBytes && !user.StartsWith('-');
    }

    private static Dictionary<string, string> Environment(IReadOnlyDictionary<string, string?>? given)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in given ?? new Dictionary<string, string?>()) environment[key] = value ?? "";
        return environment;
    }

    private static Option<string> Some(string? text) => text is null ? Option<string>.None : Option<string>.Some(text);

    private static SpawnTranslation.Refused Invalid(string field, string detail) =>
        new(ErrorNames.InvalidInput, field, $"{field} {detail}");
}
