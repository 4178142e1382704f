using System;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Effects;

namespace Agent.Shell.Activators.Nixos;

/// <summary>
/// Switches a NixOS host to a system of its store. Every step is either idempotent or has a name under which it is
/// run once, so a call that an agent's death cut off is made again from its beginning and does what is left.
/// </summary>
internal sealed class NixosActivator : IActivator
{
    private const string WayBack = "rollback-target";

    private readonly NixosPaths _paths;
    private readonly NixosCommands _commands;
    private readonly NixStore _store;

    public NixosActivator(NixosPaths paths, ICommands commands)
    {
        _paths = paths;
        _commands = new NixosCommands(paths, commands);
        _store = new NixStore(paths, _commands);
    }

    public string Method => "nixos";

    private ReleaseId? Running => NixosPaths.Follow(_paths.CurrentSystem);

    /// <summary>A host has one system, whatever the channel.</summary>
    public Task<ReleaseId?> RunningAsync(ChannelName channel, CancellationToken stop) => Task.FromResult(Running);

    public async Task PrepareAsync(SwitchRequest request, CancellationToken stop)
    {
        RequireSystemPath(request.To);
        if (request.IsRollback)
        {
            // The way back is in the store or there is none: nothing of it comes from the network.
            await _store.VerifyAsync(request, request.To, WayBack, stop);
            return;
        }

        _store.RequireRoom();
        var wayBack = request.From ?? Running;
        if (wayBack == request.To) wayBack = null;
        if (wayBack is not null) await _store.VerifyAsync(request, wayBack, WayBack, stop);
        _store.Keep(request.To, wayBack);
        await _store.RealiseAsync(request, stop);
        await _store.VerifyAsync(request, request.To, "target", stop);
    }

    public async Task<SwitchResult> SwitchAsync(SwitchRequest request, CancellationToken stop)
    {
        RequireSystemPath(request.To);
        await _store.SetProfileAsync(request, stop);
        if (Running is { } running && SystemComponents.Differing(_paths, running, request.To) is { } component)
        {
            await RunScriptAsync(request, "boot", stop);
            return new SwitchResult.Deferred(component);
        }

        await RunScriptAsync(request, "switch", stop);
        RequireRunning(request);
        return new SwitchResult.Done();
    }

    public async Task EndAsync(SwitchRequest request, CancellationToken stop)
    {
        foreach (var action in (string[])["switch", "boot"])
        {
            await _commands.EndApartAsync(request, action, stop);
            await _commands.EndApartAsync(request, $"{action}-again", stop);
        }
    }

    /// <summary>
    /// Runs the target's own script. If nobody saw its end, as after a power cut, it is run once more: it does the
    /// same from wherever the first one stopped.
    /// </summary>
    private async Task RunScriptAsync(SwitchRequest request, string action, CancellationToken stop)
    {
        string[] command = [_paths.SwitchScript(request.To), action];
        var end = await _commands.RunApartAsync(request, action, command, stop);
        if (end.Status is ExitStatus.Lost)
        {
            end = await _commands.RunApartAsync(request, $"{action}-again", command, stop);
        }

        if (!end.Status.IsSuccess)
        {
            throw new ActivationException(
                end.AtLimit ? "timed-out" : "switch-failed", $"switch-to-configuration {action}: {end.Describe()}");
        }
    }

    /// <summary>The script says that it is done; what runs is the proof.</summary>
    private void RequireRunning(SwitchRequest request)
    {
        var running = Running;
        if (running == request.To) return;
        var code = running == request.From ? "not-switched" : "wrong-release";
        throw new ActivationException(code, $"{running?.Value ?? "no system"} runs after a switch to {request.To}");
    }

    /// <summary>A derivation is a path of the store too, but realising one brings others than the one named.</summary>
    private static void RequireSystemPath(ReleaseId release)
    {
        var ofStore = release.Value.StartsWith(ReleaseId.StorePrefix, StringComparison.Ordinal);
        if (ofStore && !release.Value.EndsWith(".drv", StringComparison.Ordinal)) return;
        throw new ActivationException("not-a-system", $"{release} does not name a system of the Nix store");
    }
}
