using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Globalization;
using System.IO;
using System.Linq;
using Agent.Shell.Linux;
using Microsoft.Win32.SafeHandles;

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
        KeeperPaths paths, Marker marker, string key, SpawnOrder order, string? joins, Ticket ticket)
    {
        if (order.Command.Count == 0) return Refuse("not-found", "the command is empty");
        var user = order.User is { } name ? Users.Find(name) : null;
        if (user is null && order.User is not null) return Refuse("no-such-user", $"this host has no user {order.User}");

        // Who is one already needs nobody's leave to be so.
        if (user?.Uid == Processes.EffectiveUser) user = null;
        var bounds = Bounds(order.Limits, joins);
        if (user is not null && !File.Exists(SetPriv)) return Refuse("not-found", $"{SetPriv} is needed to run as {order.User}: apt-get install util-linux");
        if (bounds.Count > 0 && !File.Exists(PrLimit)) return Refuse("not-found", $"{PrLimit} is needed for limits: apt-get install util-linux");
        var (program, directory, refusal) = AsSeenBy(user, order);
        if (program is null) return (null, refusal);

        IReadOnlyList<string> arguments = order.Command;
        if (user is not null)
        {
            var groups = user.Groups.Count == 0 ? "--clear-groups" : $"--groups={string.Join(',', user.Groups)}";
            arguments = [SetPriv, $"--reuid={user.Uid}", $"--regid={user.Gid}", groups, "--", program, .. order.Command.Skip(1)];
            program = SetPriv;
        }

        if (bounds.Count > 0)
        {
            arguments = [PrLimit, .. bounds, "--", program, .. arguments.Skip(1)];
            program = PrLimit;
        }

        // It enters before it is anything else, so that nothing it starts was ever outside.
        if (joins is not null)
        {
            arguments = [Sh, "-c", "echo 0 >\"$0\" && exec \"$@\"", joins, program, .. arguments.Skip(1)];
            program = Sh;
        }

        string[] told = order.Notify ? [$"NOTIFY_SOCKET=@{ticket.Notify}"] : [];
        return (new SpawnPlan(
            program,
            arguments,
            [.. order.Environment, .. marker.For(key, ticket), .. told],
            directory,
            order.Stdin ? (paths.Input(key), Descriptors.ReadOnly) : (Null, Descriptors.ReadOnly),
            (paths.Output(key), Descriptors.ReadWrite),
            (paths.Error(key), Descriptors.ReadWrite))
        {
            Joins = joins is not null,
        }, null);
    }

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

    /// <summary>
    /// The program and the directory that it begins in. Root does not look for another user: that one would be told of
    /// files that are not his to see, and begin in a directory whose way is closed to him.
    /// </summary>
    private static (string? Program, SafeFileHandle? Directory, KeeperReply? Refusal) AsSeenBy(UserIds? user, SpawnOrder order)
    {
        if (user is null) return Look(order);
        try
        {
            return Rights.Of(user.Uid, user.Gid, [.. user.Groups], () => Look(order));
        }
        catch (Win32Exception failure)
        {
            return (null, null, new(0) { Error = "spawn-failed", Detail = $"nothing can be run as {order.User} here ({failure.Message})" });
        }
    }

    private static (string? Program, SafeFileHandle? Directory, KeeperReply? Refusal) Look(SpawnOrder order)
    {
        var directory = order.WorkingDirectory is { } cwd ? Descriptors.OpenToEnter(cwd) : null;
        if (directory is null && order.WorkingDirectory is not null)
        {
            return (null, null, new(0) { Error = "bad-cwd", Detail = $"there is no directory {order.WorkingDirectory} that may be entered" });
        }

        var (program, refusal) = Resolve(order);
        if (program is null) directory?.Dispose();
        return (program, directory, refusal);
    }

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

    /// <summary>No file either way, if it goes while we look.</summary>
    private static bool IsExecutable(string path)
    {
        const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        try
        {
            return (File.GetUnixFileMode(path) & Executable) != 0;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static (SpawnPlan?, KeeperReply?) Refuse(string error, string detail) =>
        (null, new(0) { Error = error, Detail = detail });

    private static (string?, KeeperReply?) Refused(string error, string detail) =>
        (null, new(0) { Error = error, Detail = detail });
}
