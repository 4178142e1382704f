using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Text.Json;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Agent.Shell.Linux;

namespace Agent.Shell.Keeper;

/// <summary>
/// The agent's side of one connection to the keeper. Requests may be under way side by side; exits arrive on their
/// own. When the connection breaks, every waiting request fails with <see cref="KeeperGone"/> and the owner reconnects.
/// </summary>
internal sealed class KeeperClient : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<long, TaskCompletionSource<KeeperReply>> _waiting = new();

    // One exit for each child at most, so the keeper's own table is the bound.
    private readonly Channel<KeptRow> _news = Channel.CreateUnbounded<KeptRow>(new() { SingleReader = true });
    private readonly SemaphoreSlim _sending = new(1);
    private readonly NetworkStream _stream;
    private readonly Task _receiving;
    private long _lastId;

    private KeeperClient(Socket socket)
    {
        _stream = new NetworkStream(socket, ownsSocket: true);
        _receiving = Task.Run(ReceiveAsync);
    }

    /// <summary>Exits and readiness as they happen; ends with the connection.</summary>
    public ChannelReader<KeptRow> News => _news.Reader;

    /// <summary>Connects to the keeper of this directory, starting one if none answers.</summary>
    public static async Task<KeeperClient> ConnectAsync(KeeperPaths paths, CancellationToken stop)
    {
        var deadline = DateTime.UtcNow + StartPatience;
        var wait = TimeSpan.FromMilliseconds(1);
        var started = false;
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(paths.Socket), stop).ConfigureAwait(false);
                return new KeeperClient(socket);
            }
            catch (SocketException failure)
            {
                socket.Dispose();
                if (DateTime.UtcNow > deadline)
                {
                    throw new KeeperGone(
                        $"no keeper answers on {paths.Socket} within {StartPatience.TotalSeconds} s; what it said is in "
                        + paths.Messages, failure);
                }
            }

            if (!started) Start(paths);
            started = true;
            await Task.Delay(wait, stop).ConfigureAwait(false);
            wait = wait < TimeSpan.FromMilliseconds(20) ? wait * 2 : wait;
        }
    }

    public Task<KeeperReply> SpawnAsync(string key, SpawnOrder order, CancellationToken stop) =>
        AskAsync(id => new(id, "spawn") { Key = key, Order = order }, stop);

    public Task<KeeperReply> SignalAsync(string key, int signal, CancellationToken stop) =>
        AskAsync(id => new(id, "signal") { Key = key, Signal = signal }, stop);

    public Task<KeeperReply> AskAsync(string op, string key, CancellationToken stop) =>
        AskAsync(id => new(id, op) { Key = key }, stop);

    /// <summary>
    /// Asks the keeper to go on as this very program. It answers only if it refuses: otherwise the connection ends.
    /// </summary>
    public Task<KeeperReply> UpgradeAsync(SpawnOrder program, CancellationToken stop) =>
        AskAsync(id => new(id, "upgrade") { Order = program, Form = Handover.CurrentForm }, stop);

    public async Task<IReadOnlyList<KeptRow>> ListAsync(CancellationToken stop) =>
        (await AskAsync(id => new(id, "list"), stop).ConfigureAwait(false)).Rows ?? [];

    /// <summary>Ends a keeper that does not answer; its children live on.</summary>
    public void Kill()
    {
        var pidfd = Processes.Open(PeerCredentials.ProcessOf(_stream.Socket));
        if (pidfd < 0) return;
        Processes.Signal(pidfd, Processes.Kill);
        Descriptors.Close(pidfd);
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync().ConfigureAwait(false);
        await _receiving.ConfigureAwait(false);
        _sending.Dispose();
    }

    private async Task<KeeperReply> AskAsync(Func<long, KeeperRequest> request, CancellationToken stop)
    {
        var id = Interlocked.Increment(ref _lastId);
        var answer = new TaskCompletionSource<KeeperReply>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = answer;
        try
        {
            if (_receiving.IsCompleted) throw new KeeperGone("the connection to the keeper is closed");
            await SendAsync(request(id), stop).ConfigureAwait(false);
            return await answer.Task.WaitAsync(stop).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException)
        {
            // Broken, or given up by its owner while this was on its way to it.
            throw new KeeperGone("the connection to the keeper broke", failure);
        }
        finally
        {
            _waiting.TryRemove(id, out _);
        }
    }

    private async Task SendAsync(KeeperRequest request, CancellationToken stop)
    {
        byte[] frame = [.. JsonSerializer.SerializeToUtf8Bytes(request, KeeperJson.Default.KeeperRequest), (byte)'\n'];

        // The keeper would hang up, and so would the next one.
        if (frame.Length > KeeperRequest.LongestFrame) throw new InvalidDataException($"a request of {frame.Length} bytes to the keeper");
        await _sending.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            await _stream.WriteAsync(frame, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task ReceiveAsync()
    {
        try
        {
            using var lines = new StreamReader(_stream);
            while (await lines.ReadLineAsync().ConfigureAwait(false) is { } line)
            {
                var reply = JsonSerializer.Deserialize(line, KeeperJson.Default.KeeperReply)!;
                if (reply.Id == 0) await _news.Writer.WriteAsync(reply.Row!).ConfigureAwait(false);
                else if (_waiting.TryGetValue(reply.Id, out var answer)) answer.TrySetResult(reply);
            }
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or JsonException)
        {
            // The keeper died, or this side was closed: told to the waiting ones below.
        }

        foreach (var answer in _waiting.Values) answer.TrySetException(new KeeperGone("the keeper is gone"));
        _news.Writer.TryComplete();
    }

    private static void Start(KeeperPaths paths)
    {
        Directory.CreateDirectory(
            paths.RuntimeDir, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        const int CreateAndTruncate = 0x40 | 0x200;
        string[] command = [.. AgentExecutable.Command, .. paths.Command];
        using var root = Descriptors.OpenToEnter("/");
        var (_, errno) = Spawner.Spawn(new(
            command[0], command, AgentExecutable.Environment, root, ("/dev/null", Descriptors.ReadOnly),
            ("/dev/null", Descriptors.WriteOnly), (paths.Messages, Descriptors.WriteOnly | CreateAndTruncate)));
        if (errno != 0) throw new KeeperGone($"the keeper cannot be started: {command[0]}: {Errno.Text(errno)}");
    }
}

/// <summary>The keeper cannot be reached. What was asked may or may not have been done; asking again is safe.</summary>
internal sealed class KeeperGone : Exception
{
    public KeeperGone()
    {
    }

    public KeeperGone(string message)
        : base(message)
    {
    }

    public KeeperGone(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
