using System;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Effects;

namespace Agent.Shell.Activators.Nixos;

/// <summary>
/// What a switch asks of Nix. Nix tells its failures apart by words alone; the ones looked for are those of version
/// 2.0 up to today's. Whatever is worded otherwise has the general code, and Nix's own words beside it.
/// </summary>
internal sealed class NixStore(NixosPaths paths, NixosCommands commands)
{
    private static readonly string[] Unsigned =
        ["signed by any of the keys in", "lacks a signature", "a valid signature"];

    private static readonly string[] NotAvailable =
        ["don't know how to build", "no substituter that can build", "does not exist in binary cache"];

    private const string Full = "No space left on device";

    /// <summary>
    /// Protects from the garbage collector what the host may be about to run and what it may go back to. A link may
    /// stand before its path is there.
    /// </summary>
    public void Keep(ReleaseId target, ReleaseId? wayBack)
    {
        Directory.CreateDirectory(paths.GcRoots);
        NixosPaths.Point(Path.Combine(paths.GcRoots, "target"), target.Value);
        if (wayBack is not null) NixosPaths.Point(Path.Combine(paths.GcRoots, "way-back"), wayBack.Value);
    }

    /// <summary>Room for what will be fetched, as far as that can be told.</summary>
    public void RequireRoom()
    {
        if (!Directory.Exists(paths.Store)) throw new ActivationException("no-nix", $"there is no {paths.Store}");
        var free = new DriveInfo(paths.Store).AvailableFreeSpace;
        if (free >= paths.MinFreeBytes) return;
        throw new ActivationException(
            "no-space",
            $"{paths.Store} has {free} bytes left and needs {paths.MinFreeBytes}; nix-collect-garbage makes room");
    }

    /// <summary>
    /// Brings a system and all it needs into the store. Asked for by a path that is no derivation, Nix brings that
    /// very path or fails.
    /// </summary>
    public async Task RealiseAsync(SwitchRequest request, CancellationToken stop)
    {
        // Nix remembers for an hour that a cache lacked a path; whoever tries again means that it is there by then.
        var end = await commands.RunAsync(
            request, "realise",
            ["nix-store", "--realise", request.To.Value, "--option", "narinfo-cache-negative-ttl", "0"], stop);
        if (end.Status.IsSuccess) return;
        var code = end.AtLimit ? "timed-out"
            : Says(end, Unsigned) ? "unsigned-path"
            : Says(end, Full) ? "no-space"
            : Says(end, NotAvailable) ? "not-available"
            : "realise-failed";
        throw new ActivationException(code, $"{request.To}: {end.Describe()}");
    }

    /// <summary>
    /// A system is in the store with the very content it was registered with. The code of a failure begins with the
    /// system's <paramref name="role"/>.
    /// </summary>
    public async Task VerifyAsync(SwitchRequest request, ReleaseId system, string role, CancellationToken stop)
    {
        if (!Directory.Exists(paths.OnDisk(system.Value)))
        {
            throw new ActivationException($"{role}-missing", $"{system} is not in the store");
        }

        var end = await commands.RunAsync(
            request, $"verify-{role}", ["nix-store", "--verify-path", system.Value], stop);
        if (!end.Status.IsSuccess)
        {
            var what = Says(end, "was modified") ? "corrupt" : Says(end, "is not valid") ? "missing" : "unverified";
            throw new ActivationException($"{role}-{what}", $"{system}: {end.Describe()}");
        }

        if (!File.Exists(paths.SwitchScript(system)))
        {
            throw new ActivationException("not-a-system", $"there is no {paths.SwitchScript(system)}");
        }
    }

    /// <summary>Makes a system the newest generation of the profile, which is what the next boot starts from.</summary>
    public async Task SetProfileAsync(SwitchRequest request, CancellationToken stop)
    {
        if (NixosPaths.Follow(paths.Profile) == request.To) return;
        var end = await commands.RunAsync(
            request, "profile", ["nix-env", "--profile", paths.Profile, "--set", request.To.Value], stop);
        if (!end.Status.IsSuccess) throw new ActivationException("profile-failed", end.Describe());
        if (NixosPaths.Follow(paths.Profile) is var now && now != request.To)
        {
            throw new ActivationException("profile-failed", $"{paths.Profile} leads to {now} after it was set");
        }
    }

    private static bool Says(CommandEnd end, params ReadOnlySpan<string> phrases)
    {
        foreach (var phrase in phrases)
        {
            if (end.Tail.Contains(phrase, StringComparison.Ordinal)) return true;
        }

        return false;
    }
}
