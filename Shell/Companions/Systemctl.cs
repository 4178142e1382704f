using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Effects;

namespace Agent.Shell.Companions;

/// <summary>
/// systemd's own command. Starts and stops are only handed over to systemd, whose work they are: no call waits for a unit,
/// and none is lost with the agent.
/// </summary>
/// <param name="folder">For the files of its runs, see <see cref="LocalCommand"/>.</param>
internal sealed class Systemctl(string folder, string program = "systemctl")
{
    /// <summary>systemd answers in milliseconds; it may be re-executing itself, or the host may be out of breath.</summary>
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(30);

    /// <summary>It reads every unit of the host and runs its generators.</summary>
    private static readonly TimeSpan ReloadWithin = TimeSpan.FromSeconds(90);

    public async Task<IReadOnlyList<UnitReport>> ShowAsync(IReadOnlyList<CompanionName> names, CancellationToken stop)
    {
        if (names.Count == 0) return [];
        var shown = await RunAsync(AnswerWithin, stop, ["show", UnitReport.Properties, "--", .. names.Select(name => name.Value)])
            .ConfigureAwait(false);
        return UnitReport.Read(shown, names.Count);
    }

    public Task ReloadAsync(CancellationToken stop) => RunAsync(ReloadWithin, stop, "daemon-reload");

    public Task StartAsync(CompanionName name, CancellationToken stop) =>
        RunAsync(AnswerWithin, stop, "start", "--no-block", name.Value);

    public Task RestartAsync(CompanionName name, CancellationToken stop) =>
        RunAsync(AnswerWithin, stop, "restart", "--no-block", name.Value);

    public Task StopAsync(CompanionName name, CancellationToken stop) =>
        RunAsync(AnswerWithin, stop, "stop", "--no-block", name.Value);

    /// <summary>Takes away what would bring it back, whoever enabled it. systemd is told with the reload that follows.</summary>
    public Task DisableAsync(CompanionName name, CancellationToken stop) =>
        RunAsync(AnswerWithin, stop, "disable", "--no-reload", "--quiet", name.Value);

    public Task ResetFailedAsync(CompanionName name, CancellationToken stop) =>
        RunAsync(AnswerWithin, stop, "reset-failed", name.Value);

    /// <exception cref="IOException">It failed, in its own words, or did not end in time.</exception>
    private async Task<string> RunAsync(TimeSpan limit, CancellationToken stop, params string[] arguments)
    {
        using var command = new LocalCommand(folder);
        command.Start(program, ["--no-ask-password", .. arguments]);
        var end = await command.EndAsync(limit, stop).ConfigureAwait(false)
            ?? throw new IOException(FormattableString.Invariant(
                $"systemctl {arguments[0]} did not end within {limit.TotalSeconds:0} s"));
        if (end.IsSuccess) return end.Output;
        throw new IOException(end.Error.Length > 0 ? end.Error : $"systemctl {arguments[0]} ended with code {end.Code}");
    }
}
