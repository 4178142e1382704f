using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Core.Rollout;
using Agent.Shell.Containers;
using Agent.Shell.Effects;
using Agent.Shell.Linux;
using Agent.Shell.Observability;

namespace Agent.Shell.Activators.Releases;

/// <summary>
/// Switches between releases of the store: the channel's link goes over in one rename, then the release's own hook,
/// the file <c>activate</c> at its root if it has one, is run once, and the containers that it carries are declared.
/// Going back runs the hook of the release gone back to and declares what that one carries.
/// </summary>
internal sealed class ReleaseActivator(
    ReleaseStore store, ICommands commands, string socket, Func<int> keep, Func<Rollouts> rollouts,
    ContainerDeclaration? containers = null) : IActivator
{
    public const string Hook = "activate";

    private const UnixFileMode Executable =
        UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public string Method => "release";

    public Task<ReleaseId?> RunningAsync(ChannelName channel, CancellationToken stop)
    {
        var current = Told(() => store.Current(channel.Value));
        var release = current is not null && ReleaseId.Parse(ReleaseId.ArchivePrefix + current).TryGet(out var parsed)
            ? parsed
            : null;
        return Task.FromResult(release);
    }

    public Task PrepareAsync(SwitchRequest request, CancellationToken stop)
    {
        Check(request.To, request.IsRollback ? "rollback-target" : "release", stop);
        if (request.From is not null && !request.IsRollback) Check(request.From, "rollback-target", stop);

        // A way back is gone as far as it leads.
        if (!request.IsRollback) Require(containers?.Check(request.Rollout.Channel, Sha256(request.To)));
        return Task.CompletedTask;
    }

    public async Task<SwitchResult> SwitchAsync(SwitchRequest request, CancellationToken stop)
    {
        var sha256 = Sha256(request.To);
        Told(() =>
        {
            store.Switch(request.Rollout.Channel.Value, sha256);
            return true;
        });
        if (HasHook(sha256)) await RunHookAsync(request, sha256, stop);

        // After the hook, which may well bring the images.
        if (containers is not null) Require(await containers.SwitchedAsync(request.Rollout.Channel, stop));
        Collect(request);
        return new SwitchResult.Done();
    }

    /// <summary>The host runs the release by now; what cannot be cleared away is no failure of the switch.</summary>
    private void Collect(SwitchRequest request)
    {
        try
        {
            store.Collect(keep(), Pinned(request, keep()));
        }
        catch (Exception failure) when (failure is ReleaseRefused or FileFailure or IOException)
        {
            Log.Warn("old releases could not be removed and take up room", ("rollout", request.Rollout), ("error", failure.Message));
        }
    }

    /// <summary>A hook is a process of the agent's.</summary>
    public Task EndAsync(SwitchRequest request, CancellationToken stop) => Task.CompletedTask;

    private void Check(ReleaseId release, string what, CancellationToken stop)
    {
        var sha256 = Sha256(release);
        if (!Directory.Exists(store.PathOf(sha256)))
        {
            throw new ActivationException($"{what}-missing", $"{release} is not in the store of this host; apply it with its archive");
        }

        if (store.Verify(sha256, stop) is { } problem) throw new ActivationException($"{what}-corrupt", problem);
        if (store.Stranger(sha256, stop) is { } stranger)
        {
            Log.Warn("a release's tree holds what its archive did not", ("what", what), ("found", stranger));
        }
    }

    private static void Require(IReadOnlyList<string>? mistakes)
    {
        if (mistakes is { Count: > 0 }) throw new ActivationException("compose-invalid", string.Join('\n', mistakes));
    }

    private bool HasHook(string sha256)
    {
        var hook = new FileInfo(Path.Combine(store.PathOf(sha256), Hook));
        return hook.Exists && (hook.UnixFileMode & Executable) != 0;
    }

    private async Task RunHookAsync(SwitchRequest request, string sha256, CancellationToken stop)
    {
        var end = await commands.RunAsync(
            new(
                string.Create(CultureInfo.InvariantCulture, $"{request.Rollout}/{request.Activation}/{Hook}"),
                $"{request.Rollout.Channel}-{Hook}",
                [Path.Combine(store.PathOf(sha256), Hook)],
                WorkingDirectory: "/", // In the tree, what a hook writes beside it would change the release.
                Environment(request),
                request.Timeout,
                ProcessSpec.MaxRetention),
            stop);
        if (!end.Status.IsSuccess) throw new ActivationException("hook-failed", $"its hook ended with {end.Describe()}");
    }

    private Dictionary<string, string> Environment(SwitchRequest request) => new(StringComparer.Ordinal)
    {
        ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ["LANG"] = "C.UTF-8",
        ["AGENT_COMMAND"] = string.Join(' ', Keeper.AgentExecutable.Command),
        ["AGENT_SOCKET"] = socket,
        ["AGENT_CHANNEL"] = request.Rollout.Channel.Value,
        ["AGENT_ROLLOUT"] = request.Rollout.Value,
        ["AGENT_RELEASE"] = request.To.Value,
        ["AGENT_PREVIOUS"] = request.From?.Value ?? "",
        ["AGENT_ACTION"] = request.IsRollback ? "rollback" : "activate",
        ["AGENT_CURRENT"] = store.PathOfCurrent(request.Rollout.Channel.Value),
    };

    /// <summary>Of this switch, and of every other rollout of the host.</summary>
    private HashSet<string> Pinned(SwitchRequest request, int keep)
    {
        var pinned = new HashSet<string>(StringComparer.Ordinal) { Sha256(request.To) };
        if (request.From is not null) pinned.Add(Sha256(request.From));
        foreach (var release in rollouts().Needed(keep))
        {
            if (IsArchive(release)) pinned.Add(Sha256(release));
        }

        return pinned;
    }

    private static bool IsArchive(ReleaseId release) =>
        release.Value.StartsWith(ReleaseId.ArchivePrefix, StringComparison.Ordinal);

    private static string Sha256(ReleaseId release) =>
        IsArchive(release)
            ? release.Value[ReleaseId.ArchivePrefix.Length..]
            : throw new ActivationException("wrong-activator", $"{release} is no archive");

    private static T Told<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (ReleaseRefused refusal)
        {
            throw new ActivationException(refusal.Code, refusal.Message);
        }
        catch (FileFailure failure)
        {
            throw new ActivationException("disk", failure.Message);
        }
    }
}
