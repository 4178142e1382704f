using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

namespace Agent.Tests.Uplink;

/// <summary>
/// A line between a host and its plane that does to connections what a test asks: refuses, delays, cuts in mid-answer,
/// or takes a question to the plane and swallows the answer. Every end is a reset.
/// </summary>
internal sealed class FaultyProxy : IAsyncDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<Task> _running = [];
    private readonly Random _random;
    private readonly int _plane;
    private int _toLose;
    private int _broken;
    private long _carried;

    public FaultyProxy(int planePort, int seed)
    {
        (_plane, _random) = (planePort, new Random(seed));
        _listener.Start();
        _running.Add(AcceptAsync());
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>While false nobody gets through.</summary>
    public bool IsOpen { get; set; } = true;

    /// <summary>How likely it is that a new connection is reset at once.</summary>
    public double Drops { get; set; }

    /// <summary>How likely it is that a part of an answer, or of a handshake, is cut in its middle.</summary>
    public double Cuts { get; set; }

    /// <summary>Before each part of an answer.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Connections that were reset.</summary>
    public int Broken => Volatile.Read(ref _broken);

    /// <summary>Bytes that came from the plane's side and went on to a host.</summary>
    public long Carried => Volatile.Read(ref _carried);

    /// <summary>Raised for each answer that was swallowed, by <see cref="LoseAnswers"/>.</summary>
    public SemaphoreSlim Lost { get; } = new(0);

    /// <summary>The next so many parts that come from the plane are swallowed, and their connections reset.</summary>
    public void LoseAnswers(int count) => Volatile.Write(ref _toLose, count);

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Dispose();
        await Task.WhenAll(_running);
        Lost.Dispose();
        _ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var host = await _listener.AcceptSocketAsync(_ending.Token);
                if (!IsOpen || Happens(Drops)) Reset(host);
                else _running.Add(JoinAsync(host));
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task JoinAsync(Socket host)
    {
        using var plane = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        host.NoDelay = true;
        try
        {
            await plane.ConnectAsync(IPAddress.Loopback, _plane, _ending.Token);
            await Task.WhenAny(PumpAsync(host, plane, isAnswer: false), PumpAsync(plane, host, isAnswer: true));
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException)
        {
            // One of both is gone, or the test is over.
        }
        finally
        {
            Reset(host);
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool isAnswer)
    {
        try
        {
            var buffer = new byte[16 << 10];
            while (await from.ReceiveAsync(buffer, _ending.Token) is > 0 and var read)
            {
                if (isAnswer && Delay > TimeSpan.Zero) await Task.Delay(Delay, _ending.Token);
                if (isAnswer && IsLost()) return;
                var isCut = isAnswer && (!IsOpen || Happens(Cuts));
                await to.SendAsync(buffer.AsMemory(0, isCut ? read / 2 : read), _ending.Token);
                if (isAnswer) Interlocked.Add(ref _carried, read);
                if (isCut) return;
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The other direction has ended it.
        }
    }

    private bool IsLost()
    {
        if (Volatile.Read(ref _toLose) == 0 || Interlocked.Decrement(ref _toLose) < 0) return false;
        Lost.Release();
        return true;
    }

    private bool Happens(double likely)
    {
        lock (_random) return _random.NextDouble() < likely;
    }

    private void Reset(Socket socket)
    {
        Interlocked.Increment(ref _broken);
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }
}
