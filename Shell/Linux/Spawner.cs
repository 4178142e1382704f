using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Agent.Shell.Linux;

/// <summary>
/// What to start: resolved program, arguments, whole environment, and what its descriptors 0 to 2 open; an empty path is
/// the caller's own. The working directory is held open, so that it is the one that was looked at.
/// </summary>
internal sealed record SpawnPlan(
    string Path,
    IReadOnlyList<string> Arguments,
    IReadOnlyList<string> Environment,
    SafeFileHandle? WorkingDirectory,
    (string Path, int Mode) Input,
    (string Path, int Mode) Output,
    (string Path, int Mode) Error) : IDisposable
{
    /// <summary>It enters its cgroup itself, before it is what was ordered.</summary>
    public bool Joins { get; init; }

    public void Dispose() => WorkingDirectory?.Dispose();
}

/// <summary>
/// Starts programs by posix_spawn: a session and process group of its own, every signal at its default and none
/// blocked, exactly the descriptors 0 to 2. The caller is the parent and must wait for it.
/// </summary>
internal static unsafe partial class Spawner
{
    private const short SetSignalDefaults = 0x04;
    private const short SetSignalMask = 0x08;
    private const short SetSession = 0x80;

    // Larger than glibc's structs (80, 336 and 128 bytes), which are opaque and have grown before.
    private const int OpaqueBytes = 1024;

    /// <summary>The new pid, or the errno of what was refused.</summary>
    public static (int Pid, int Errno) Spawn(SpawnPlan plan)
    {
        var actions = stackalloc byte[OpaqueBytes];
        var attributes = stackalloc byte[OpaqueBytes];
        var signals = stackalloc byte[OpaqueBytes];
        _ = posix_spawn_file_actions_init(actions);
        _ = posix_spawnattr_init(attributes);
        try
        {
            // Not by sigfillset: that leaves out the two that glibc keeps for itself, and a child would ignore those.
            new Span<byte>(signals, OpaqueBytes).Fill(0xFF);
            _ = posix_spawnattr_setsigdefault(attributes, signals);
            _ = sigemptyset(signals);
            _ = posix_spawnattr_setsigmask(attributes, signals);
            _ = posix_spawnattr_setflags(attributes, SetSignalDefaults | SetSignalMask | SetSession);
            if (plan.WorkingDirectory is { } directory)
            {
                _ = posix_spawn_file_actions_addfchdir_np(actions, (int)directory.DangerousGetHandle());
            }

            // Closed before anything is opened: the child may open fewer than its parent has open.
            _ = posix_spawn_file_actions_addclosefrom_np(actions, 3);
            AddOpen(actions, 0, plan.Input);
            AddOpen(actions, 1, plan.Output);
            AddOpen(actions, 2, plan.Error);
            using var arguments = new NativeStrings(plan.Arguments);
            using var environment = new NativeStrings(plan.Environment);
            var errno = posix_spawn(out var pid, plan.Path, actions, attributes, arguments.Pointer, environment.Pointer);
            return errno == 0 ? (pid, 0) : (0, errno);
        }
        finally
        {
            _ = posix_spawn_file_actions_destroy(actions);
            _ = posix_spawnattr_destroy(attributes);
        }
    }

    private static void AddOpen(byte* actions, int fd, (string Path, int Mode) what)
    {
        if (what.Path.Length > 0) _ = posix_spawn_file_actions_addopen(actions, fd, what.Path, what.Mode, 0x180);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn(
        out int pid, string path, byte* actions, byte* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_init(byte* actions);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_destroy(byte* actions);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int posix_spawn_file_actions_addopen(byte* actions, int fd, string path, int flags, uint mode);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_addfchdir_np(byte* actions, int fd);

    [LibraryImport("libc")]
    private static partial int posix_spawn_file_actions_addclosefrom_np(byte* actions, int from);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_init(byte* attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_destroy(byte* attributes);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setflags(byte* attributes, short flags);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigdefault(byte* attributes, byte* signals);

    [LibraryImport("libc")]
    private static partial int posix_spawnattr_setsigmask(byte* attributes, byte* signals);

    [LibraryImport("libc")]
    private static partial int sigemptyset(byte* signals);
}
