using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Process;
using Agent.Shell.Effects;

namespace Agent.Shell.Activators.Nixos;

/// <summary>The commands of a switch: named by rollout, activation and step, so that each is run once.</summary>
internal sealed class NixosCommands(NixosPaths paths, ICommands commands)
{
    /// <summary>Ends with the command, which goes on if the agent dies meanwhile.</summary>
    public Task<CommandEnd> RunAsync(
        SwitchRequest request, string step, IReadOnlyList<string> command, CancellationToken stop) =>
        commands.RunAsync(Describe(request, step, command), stop);

    /// <summary>
    /// The same for a command that may restart the agent, its keeper and whatever is below either: systemd itself is
    /// its parent, where there is systemd.
    /// </summary>
    public Task<CommandEnd> RunApartAsync(
        SwitchRequest request, string step, IReadOnlyList<string> command, CancellationToken stop) =>
        paths.HasSystemd
            ? new UnitCommands(commands).RunAsync(Describe(request, step, command), stop)
            : RunAsync(request, step, command, stop);

    /// <summary>Ends what such a command left running, if it was begun, and returns when it is over.</summary>
    public Task EndApartAsync(SwitchRequest request, string step, CancellationToken stop) => paths.HasSystemd
        ? new UnitCommands(commands).EndAsync(Describe(request, step, []), stop)
        : Task.CompletedTask;

    private CommandRequest Describe(SwitchRequest request, string step, IReadOnlyList<string> command) => new(
        $"{request.Rollout}/{request.Activation}/{step}",
        $"{step} of {request.Rollout}",
        command,
        WorkingDirectory: "/",
        paths.Environment,
        request.Timeout,
        ProcessSpec.MaxRetention); // An agent that was away for long still finds how it ended.
}
