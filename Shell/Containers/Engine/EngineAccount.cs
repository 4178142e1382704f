using System.Text.Json;
using Agent.Core.Container;
using Agent.Shell.Linux;

namespace Agent.Shell.Containers.Engine;

/// <summary>What the engine tells of one container: Docker's words, and Podman's where they differ.</summary>
/// <param name="Pid">0 where it tells none that a process can have.</param>
internal sealed record EngineAccount(ContainerStatus Status, ContainerHealth Health, int Pid, string ImageId, bool HasTerminal)
{
    /// <summary>128 + SIGKILL: how a process ends that the kernel kills.</summary>
    private const int KilledCode = 137;

    /// <summary>The engine says that it runs, and there is no such process.</summary>
    public bool IsWithoutProcess => Status is ContainerStatus.Running && Pid > 0 && Processes.IsGone(Pid);

    /// <summary>For an account that the engine does not give.</summary>
    public static EngineAccount Unknown(string why) =>
        new(new ContainerStatus.Unknown(why), ContainerHealth.None, 0, "", HasTerminal: false);

    /// <summary>Reads `GET /containers/{id}/json`.</summary>
    public static EngineAccount Read(JsonElement account)
    {
        var state = account.Member("State");
        return new(
            StatusOf(state),
            HealthOf(state.Member("Health").Text("Status") ?? state.Member("Healthcheck").Text("Status")),
            state.Number("Pid") is > 0 and <= int.MaxValue and var pid ? (int)pid : 0,
            account.Text("Image") ?? "",
            account.Member("Config").Is("Tty"));
    }

    /// <summary>For a word that needs no account, and for one that nobody knows.</summary>
    public static ContainerStatus StatusOf(string? word) => word switch
    {
        "created" or "configured" or "initialized" => new ContainerStatus.Created(),
        "running" or "stopping" => new ContainerStatus.Running(PidAlive: true),
        "paused" => new ContainerStatus.Paused(),
        "restarting" => new ContainerStatus.Restarting(),
        "removing" => new ContainerStatus.Removing(),
        "dead" => new ContainerStatus.Dead(),
        null => new ContainerStatus.Unknown("the engine does not tell its state"),
        _ => new ContainerStatus.Unknown(EngineError.Cut(word)),
    };

    private static ContainerStatus StatusOf(JsonElement? state)
    {
        var word = state.Text("Status");
        if (word is not ("exited" or "stopped")) return StatusOf(word);
        if (state.Number("ExitCode") is not { } code)
        {
            return new ContainerStatus.Unknown("it ended, and the engine does not tell its exit code");
        }

        // The engine's mark also stands where only a child was out of memory and its parent ended as it liked.
        return new ContainerStatus.Exited((int)code, state.Is("OOMKilled") && code == KilledCode);
    }

    private static ContainerHealth HealthOf(string? word) => word switch
    {
        "starting" => ContainerHealth.Starting,
        "healthy" => ContainerHealth.Healthy,
        "unhealthy" => ContainerHealth.Unhealthy,
        _ => ContainerHealth.None,
    };
}
