using System;
using System.Collections.Generic;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Effects;

namespace Agent.Shell.Activators.Nixos;

/// <summary>
/// Runs a command as a unit of systemd's, so that it goes on when the agent and its keeper are restarted. The unit's
/// name is made from the command's, and it stays loaded after its end (it is not collected): whoever asks again, in
/// this boot, finds it running or how it ended. In the next boot it is gone, and its end is lost.
/// </summary>
internal sealed class UnitCommands(ICommands commands)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(250);

    /// <summary>Seldom enough not to fill the registry, often enough that nobody waits for it.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    /// <summary>A question to systemd; it may be re-executing itself just then.</summary>
    private static readonly TimeSpan LookLimit = TimeSpan.FromSeconds(30);

    /// <summary>A unit has systemd's 90 s to stop before it is killed.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(120);

    /// <summary>Until its answer is read, and not so long that the answers fill the registry.</summary>
    private static readonly TimeSpan AnswerKept = TimeSpan.FromSeconds(10);

    /// <summary>Over the unit's own limit, at which systemd ends it and may be slow to say so.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(30);

    public async Task<CommandEnd> RunAsync(CommandRequest request, CancellationToken stop)
    {
        var unit = UnitOf(request.Name);
        var (asked, wait) = (false, FirstWait);
        for (var waited = TimeSpan.Zero; waited < request.Limit + Margin; waited += wait)
        {
            var sight = await LookAsync(request, unit, stop);
            if (sight is Sight.Ended(var status, var atLimit))
            {
                return new(status, await WordsAsync(request, unit, status, stop)) { AtLimit = atLimit };
            }

            if (sight is Sight.Absent)
            {
                // It was started, here or by an agent before this one, and systemd does not know it: the host has
                // booted since.
                if (asked) return new(new ExitStatus.Lost(), $"there is no {unit} any more");
                asked = true;
                var start = await commands.RunAsync(Start(request, unit), stop);
                if (!start.Status.IsSuccess && await LookAsync(request, unit, stop) is Sight.Absent) return start;
                continue;
            }

            await Task.Delay(wait, stop);
            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }

        throw new ActivationException("timed-out", $"systemd did not say within {request.Limit} how {unit} ended");
    }

    /// <summary>
    /// Stops the unit of that name, if it was begun, and returns when systemd says that it does not run: after its own
    /// time to stop, systemd kills it.
    /// </summary>
    public async Task EndAsync(CommandRequest request, CancellationToken stop)
    {
        if (!commands.HasBegun(StartName(request))) return;
        var unit = UnitOf(request.Name);
        for (var wait = FirstWait; await LookAsync(request, unit, stop) is Sight.Unsettled; wait *= 2)
        {
            // A system whose manager hangs is asked again and again: going back beside a running switch is worse.
            await commands.RunAsync(Ask(request, "stop", ["systemctl", "stop", unit]) with { Limit = StopLimit }, stop);
            if (wait > LongestWait) wait = LongestWait;
            await Task.Delay(wait, stop);
        }
    }

    private static string StartName(CommandRequest request) => $"{request.Name}/start";

    /// <summary>The same name is the same unit; systemd's names may not hold all that ours may.</summary>
    private static string UnitOf(string name) =>
        $"agent-switch-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))[..16]}.service";

    private static CommandRequest Start(CommandRequest request, string unit)
    {
        var seconds = Math.Ceiling(request.Limit.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        List<string> command =
        [
            "systemd-run", $"--unit={unit}", $"--description={request.Label}", "--service-type=exec",
            "--no-ask-password", "--quiet", "--property=RemainAfterExit=yes", $"--property=RuntimeMaxSec={seconds}",
        ];
        foreach (var (name, value) in request.Environment) command.Add($"--setenv={name}={value}");
        return request with
        {
            Name = StartName(request),
            Command = [.. command, "--", .. request.Command],
            Limit = LookLimit,
        };
    }

    private async Task<Sight> LookAsync(CommandRequest request, string unit, CancellationToken stop)
    {
        string[] command =
            ["systemctl", "show", unit, "--property=LoadState,ActiveState,SubState,Result,ExecMainCode,ExecMainStatus"];
        var end = await commands.RunAsync(Ask(request, "look", command), stop);
        return end.Status.IsSuccess ? Sight.Read(end.Tail) : new Sight.Unsettled();
    }

    private async Task<string> WordsAsync(
        CommandRequest request, string unit, ExitStatus status, CancellationToken stop)
    {
        if (status.IsSuccess) return "";
        string[] command = ["journalctl", $"--unit={unit}", "--boot", "--lines=20", "--output=cat", "--no-pager"];
        return (await commands.RunAsync(Ask(request, "words", command), stop)).Tail;
    }

    /// <summary>A question is asked anew each time, so each has a name of its own.</summary>
    private static CommandRequest Ask(CommandRequest request, string step, IReadOnlyList<string> command) =>
        request with
        {
            Name = $"{request.Name}/{step}/{Guid.NewGuid():N}",
            Command = command,
            Limit = LookLimit,
            Retention = AnswerKept,
        };

    /// <summary>What systemd knows of a unit.</summary>
    private abstract record Sight
    {
        private Sight()
        {
        }

        public sealed record Absent : Sight;

        /// <summary>It runs, or systemd did not say.</summary>
        public sealed record Unsettled : Sight;

        public sealed record Ended(ExitStatus Status, bool AtLimit) : Sight;

        /// <summary>Lines of `name=value`.</summary>
        public static Sight Read(string shown)
        {
            var facts = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var line in shown.Split('\n'))
            {
                var parts = line.Split('=', 2);
                if (parts.Length == 2) facts[parts[0]] = parts[1];
            }

            string Of(string name) => facts.GetValueOrDefault(name, "");
            if (Of("LoadState") == "not-found") return new Absent();
            var over = Of("ActiveState") is "failed" or "inactive" || Of("SubState") == "exited";
            if (!over || !int.TryParse(Of("ExecMainStatus"), CultureInfo.InvariantCulture, out var number))
            {
                return new Unsettled();
            }

            // The kernel's codes for a child that exited, was killed, or was killed and left a core.
            ExitStatus status = Of("ExecMainCode") switch
            {
                "1" => new ExitStatus.Exited(number),
                "2" or "3" => new ExitStatus.Signaled(number),
                _ => new ExitStatus.Lost(),
            };
            return new Ended(status, AtLimit: Of("Result") == "timeout");
        }
    }
}
