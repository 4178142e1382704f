using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Keeper;
using Agent.Tests.EndToEnd;
using Xunit;

namespace Agent.Tests.Keeper;

/// <summary>A real keeper in directories of its own, and an agent's side of it that asks again as the agent does.</summary>
internal sealed class KeptDirectory : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("keeper-");
    private KeeperClient? _client;

    public KeptDirectory() => Paths = new KeeperPaths(At("s"), At("r"));

    public static SpawnOrder Itself => new([.. AgentExecutable.Command], AgentExecutable.Environment, null, null, false, false);

    public KeeperPaths Paths { get; }

    public int KeeperPid => ProcessTable.All().Single(row => row.CommandLine.Contains(Paths.RuntimeDir, StringComparison.Ordinal)
        && row.CommandLine.Contains(" keep ", StringComparison.Ordinal)).Pid;

    public string At(string name) => Path.Combine(_directory.FullName, name);

    public static SpawnOrder Shell(string script) =>
        new(["/bin/sh", "-c", script], ["PATH=/usr/bin:/bin"], "/", null, Stdin: false, Tree: true);

    public Task<KeptRow> SpawnAsync(string key, string script) => SpawnAsync(key, Shell(script));

    /// <summary>Why it is not started, or null.</summary>
    public async Task<string?> TryAsync(string key, SpawnOrder order) =>
        (await AskAsync(client => client.SpawnAsync(key, order, CancellationToken.None))).Error;

    public async Task<KeptRow> SpawnAsync(string key, SpawnOrder order)
    {
        var reply = await AskAsync(client => client.SpawnAsync(key, order, CancellationToken.None));
        Assert.True(reply.Error is null, $"{reply.Error}: {reply.Detail}");
        return reply.Row!;
    }

    public Task AskAsync(string what, string key) => AskAsync(client => client.AskAsync(what, key, CancellationToken.None));

    public async Task<IReadOnlyList<KeptRow>> RowsAsync()
    {
        var reply = await AskAsync(client => client.AskAsync("list", "", CancellationToken.None));
        return reply.Rows!;
    }

    /// <summary>The refusal, or null: it went on as that program.</summary>
    public async Task<KeeperReply?> UpgradeAsync(SpawnOrder program)
    {
        var client = await ClientAsync();
        try
        {
            return await client.UpgradeAsync(program, CancellationToken.None);
        }
        catch (KeeperGone)
        {
            await DropAsync(client);
            return null;
        }
    }

    /// <summary>Waits for the end of what runs under the key.</summary>
    public async Task<KeptExit> ExitAsync(string key)
    {
        using var patience = new CancellationTokenSource(AgentUnderTest.Patience);
        while (true)
        {
            if ((await RowsAsync()).Single(row => row.Key == key).Exit is { } exit) return exit;
            await Task.Delay(10, patience.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var row in await RowsAsync())
        {
            await AskAsync(client => client.AskAsync("killTree", row.Key, CancellationToken.None));
            await ExitAsync(row.Key);
        }

        await AskAsync(client => client.AskAsync("end", "", CancellationToken.None));
        if (_client is { } last) await DropAsync(last);
        _directory.Delete(recursive: true);
    }

    private async Task<KeeperReply> AskAsync(Func<KeeperClient, Task<KeeperReply>> ask)
    {
        while (true)
        {
            var client = await ClientAsync();
            try
            {
                return await ask(client).WaitAsync(AgentUnderTest.Patience);
            }
            catch (KeeperGone)
            {
                await DropAsync(client);
            }
        }
    }

    private async Task<KeeperClient> ClientAsync() =>
        _client ??= await KeeperClient.ConnectAsync(Paths, CancellationToken.None);

    private async Task DropAsync(KeeperClient client)
    {
        if (ReferenceEquals(_client, client)) _client = null;
        await client.DisposeAsync();
    }
}
