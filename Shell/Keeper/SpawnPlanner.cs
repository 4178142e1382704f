using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Agent.Shell.Linux;

namespace Agent.Shell.Keeper;

/// <summary>Turns an order into what posix_spawn needs, and refuses what cannot run with a reason of its own.</summary>
internal static class SpawnPlanner
{
    private const string SetPriv = "/usr/bin/setpriv";
    private const string PrLimit = "/usr/bin/prlimit";
    private const string Sh = "/bin/sh";
    private const string StandardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    private const string Null = "/dev/null";

    /// <param name="joins">The file through which the child enters its cgroup before it is itself; null if it need not.</param>
    public static (SpawnPlan? Plan, KeeperReply? Refusal) Plan(
        KeeperPaths paths, Marker marker, string key, SpawnOrder order, string? joins)
    {
        if (!IsKey(key)) return Refuse("bad-key", $"\"{key}\" is no spawn key");
        if (order.Command.Count == 0) return Refuse("not-found", "the command is empty");
        if (order.WorkingDirectory is { } cwd && !Directory.Exists(cwd)) return Refuse("bad-cwd", $"there is no directory {cwd}");
        var (program, refusal) = Resolve(order);
        if (program is null) return (null, refusal);

        IReadOnlyList<string> arguments = order.Command;
        if (order.User is { } user)
        {
            if (Users.Find(user) is not { } ids) return Refuse("no-such-user", $"this host has no user {user}");
            if (!File.Exists(SetPriv)) return Refuse("not-found", $"{SetPriv} is needed to run as {user}: apt-get install util-linux");
            arguments = [SetPriv, $"--reuid={ids.Uid}", $"--regid={ids.Gid}", "--init-groups", "--", program, .. order.Command.Skip(1)];
            program = SetPriv;
        }

        if (Bounds(order.Limits, joins) is { Count: > 0 } bounds)
        {
            if (!File.Exists(PrLimit)) return Refuse("not-found", $"{PrLimit} is needed for limits: apt-get install util-linux");
            arguments = [PrLimit, .. bounds, "--", program, .. arguments.Skip(1)];
            program = PrLimit;
        }

        // It enters before it is anything else, so that nothing it starts was ever outside.
        if (joins is not null)
        {
            arguments = [Sh, "-c", "echo 0 >\"$0\" && exec \"$@\"", joins, program, .. arguments.Skip(1)];
            program = Sh;
        }

        return (new SpawnPlan(
            program,
            arguments,
            [.. order.Environment, .. marker.For(key), .. Notify(paths, key, order)],
            order.WorkingDirectory,
            order.Stdin ? (paths.Input(key), Descriptors.ReadOnly) : (Null, Descriptors.ReadOnly),
            (paths.Output(key), Descriptors.ReadWrite),
            (paths.Error(key), Descriptors.ReadWrite)), null);
    }

    private static IEnumerable<string> Notify(KeeperPaths paths, string key, SpawnOrder order) =>
        order.Notify ? [$"NOTIFY_SOCKET=@{paths.Notify(key)}"] : [];

    /// <summary>What the kernel holds each process to by itself: open files and, where no cgroup bounds it, memory.</summary>
    private static List<string> Bounds(SpawnLimit? limits, string? joins)
    {
        var bounds = new List<string>();
        if (limits?.OpenFiles is { } files) bounds.Add(string.Create(CultureInfo.InvariantCulture, $"--nofile={files}"));
        if (limits?.MemoryBytes is { } bytes && joins is null) bounds.Add(string.Create(CultureInfo.InvariantCulture, $"--as={bytes}"));
        return bounds;
    }

    /// <summary>Ids and generations only: the key becomes the name of files and of a cgroup.</summary>
    public static bool IsKey(string key) => key.Length is > 0 and <= 64 && key[0] != '.'
        && key.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '.');

    private static (string? Program, KeeperReply? Refusal) Resolve(SpawnOrder order)
    {
        var name = order.Command[0];
        if (name.Contains('/', StringComparison.Ordinal))
        {
            var path = Path.Combine(order.WorkingDirectory ?? "/", name);
            if (!File.Exists(path)) return Refused("not-found", $"there is no file {path}");
            return IsExecutable(path) ? (path, null) : Refused("not-executable", $"{path} may not be executed");
        }

        var variable = order.Environment.FirstOrDefault(one => one.StartsWith("PATH=", StringComparison.Ordinal));
        var searched = variable?[5..] ?? StandardPath;
        foreach (var directory in searched.Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            var path = Path.Combine(directory, name);
            if (File.Exists(path) && IsExecutable(path)) return (path, null);
        }

        return Refused("not-found", $"{name} is in none of {searched}");
    }

    private static bool IsExecutable(string path) => (File.GetUnixFileMode(path)
        & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0;

    private static (SpawnPlan?, KeeperReply?) Refuse(string error, string detail) =>
        (null, new(0) { Error = error, Detail = detail });

    private static (string?, KeeperReply?) Refused(string error, string detail) =>
        (null, new(0) { Error = error, Detail = detail });
}
