using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Effects;

namespace Agent.Tests.Support;

/// <summary>
/// Runs each name's command once, as a child of the test, and remembers how it ended. It stands for the keeper, so it
/// outlives the agents of a test.
/// </summary>
internal sealed class CommandsOnce : ICommands
{
    private readonly ConcurrentDictionary<string, Lazy<Task<CommandEnd>>> _ends = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _names = new();

    /// <summary>The names of what was run, in order.</summary>
    public IReadOnlyList<string> Ran => [.. _names];

    /// <summary>The last part of a command's name, of which nobody will see the end.</summary>
    public string? Lost { get; init; }

    public Task<CommandEnd> RunAsync(CommandRequest request, CancellationToken stop) => _ends
        .GetOrAdd(request.Name, name => new(() =>
        {
            _names.Enqueue(name);
            return Task.Run(() => RunAsync(request));
        })).Value.WaitAsync(stop);

    public bool HasBegun(string name) => _ends.ContainsKey(name);

    private async Task<CommandEnd> RunAsync(CommandRequest request)
    {
        var start = new ProcessStartInfo(request.Command[0], request.Command.Skip(1))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = request.WorkingDirectory,
        };
        start.Environment.Clear();
        foreach (var (name, value) in request.Environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(request.Limit);
        await using var kill = limit.Token.Register(() => process.Kill(entireProcessTree: true));
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        var tail = (await errors, await output) is ({ Length: > 0 } said, _) ? said : await output;
        await process.WaitForExitAsync();
        if (Lost is not null && request.Name.EndsWith("/" + Lost, StringComparison.Ordinal))
        {
            return new(new ExitStatus.Lost(), "");
        }

        return new(Status(process.ExitCode), tail.TrimEnd()) { AtLimit = limit.IsCancellationRequested };
    }

    private static ExitStatus Status(int code) =>
        code > 128 ? new ExitStatus.Signaled(code - 128) : new ExitStatus.Exited(code);
}
