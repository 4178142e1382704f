using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using System.Text.Json;
using Agent.Shell.Linux;

namespace Agent.Shell.Keeper;

/// <summary>
/// The keeper's one loop, on one thread: takes the agent's requests, starts and signals, sees children to their end,
/// writes each exit down and only then reports it.
/// </summary>
internal sealed class KeeperServer : IDisposable
{
    // Reaps adopted orphans, of whose ends nothing tells us. Only while there are children: an idle keeper sleeps.
    private const int OrphanTick = 2000;

    // New children get their cgroups when nothing was to do for so long.
    private const int JoinPause = 20;

    private const ulong ListenerMark = 1UL << 62;
    private const ulong AgentMark = 1UL << 61;

    private readonly Epoll _epoll = new();
    private readonly Children _children;
    private readonly Socket _listener;
    private readonly KeeperPaths _paths;
    private readonly int _gate;
    private AgentLink? _agent;

    /// <param name="gate">The locked file of the directory.</param>
    /// <param name="handover">What the program before in this process left; null at a keeper's first start.</param>
    public KeeperServer(KeeperPaths paths, int gate, Handover? handover)
    {
        _paths = paths;
        _gate = gate;
        _children = new Children(paths, _epoll);
        if (handover is not null)
        {
            _children.TakeOver(handover.Children);
            _listener = new Socket(new SafeSocketHandle(handover.Listener, ownsHandle: true));
        }
        else
        {
            _children.Recover();
            _listener = Listen(paths.Socket);
        }

        _epoll.Watch(Fd(_listener), Epoll.In, ListenerMark);
    }

    /// <summary>Serves until it is told to end and nothing lives.</summary>
    public void Run()
    {
        var told = new List<Child>();
        var (open, more) = (true, false);
        while (open)
        {
            told.Clear();
            var ready = _epoll.Wait(
                more ? 0 : _children.HasUnjoined ? JoinPause : _children.Living > 0 || _children.HasLeftovers ? OrphanTick : -1);
            _children.BeginRound(isIdle: ready.Length == 0);
            foreach (var @event in ready)
            {
                if (@event.Data == ListenerMark) Accept();
                else if (@event.Data == AgentMark) open &= Serve(@event.Events);
                else if ((@event.Data & Children.NotifyMark) != 0) Add(_children.Notified(@event.Data), told);
                else Add(_children.End(@event.Data), told);
            }

            // Every exit and readiness of this round is durable before any of them is told.
            _children.Sync(told);
            foreach (var child in told) _agent?.Send(new KeeperReply(0) { Row = child.Row });
            more = _children.ReapOrphans();
            if (_agent is { IsBroken: true }) Drop();
        }
    }

    public void Dispose()
    {
        _agent?.Dispose();
        _listener.Dispose();
        _children.Dispose();
        _epoll.Dispose();
    }

    private static void Add(Child? child, List<Child> told)
    {
        if (child is not null) told.Add(child);
    }

    private static int Fd(Socket socket) => (int)socket.Handle;

    private static Socket Listen(string path)
    {
        File.Delete(path);
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        listener.Listen(8);
        return listener;
    }

    /// <summary>One agent at a time: a newer connection is a newer agent.</summary>
    private void Accept()
    {
        var socket = _listener.Accept();
        if (!PeerIsTrusted(socket))
        {
            socket.Dispose();
            return;
        }

        Drop();
        socket.Blocking = false;
        _agent = new AgentLink(socket);
        _epoll.Watch(Fd(socket), Epoll.In, AgentMark);
    }

    private static bool PeerIsTrusted(Socket socket)
    {
        const int SolSocket = 1;
        const int PeerCredentials = 17;
        Span<byte> credentials = stackalloc byte[12];
        socket.GetRawSocketOption(SolSocket, PeerCredentials, credentials);
        var uid = BitConverter.ToUInt32(credentials[4..8]);
        return uid == 0 || uid == Processes.EffectiveUser;
    }

    private void Drop()
    {
        if (_agent is null) return;
        _epoll.Forget(_agent.Fd);
        _agent.Dispose();
        _agent = null;
    }

    private bool Serve(uint events)
    {
        if (_agent is null) return true;
        var open = true;
        if ((events & Epoll.Out) != 0) _agent.Flush();
        if ((events & ~Epoll.Out) != 0)
        {
            foreach (var request in _agent.Receive()) open &= Answer(_agent, request);
        }

        _epoll.Change(_agent.Fd, _agent.HasPending ? Epoll.In | Epoll.Out : Epoll.In, AgentMark);
        return open;
    }

    private bool Answer(AgentLink agent, KeeperRequest request)
    {
        var key = request.Key ?? "";
        var reply = new KeeperReply(request.Id);
        switch (request.Op)
        {
            case "spawn" when request.Order is { } order: reply = _children.Spawn(request.Id, key, order); break;
            case "signal": if (!_children.Signal(key, request.Signal)) reply = Gone(request); break;
            case "killTree": _children.KillTree(key); break;
            case "closeInput": _children.CloseInput(key); break;
            case "list": reply = reply with { Rows = _children.Rows, Detail = _children.Trouble }; break;
            case "forget": _children.Forget(key); break;
            case "about": reply = reply with { About = AgentExecutable.About }; break;
            case "upgrade" when request.Order is { Command.Count: > 0 } program: reply = Upgrade(request, program); break;
            case "end" when _children.Living == 0: agent.Send(reply); return false;
            case "end": reply = reply with { Error = "busy", Detail = "children live" }; break;
            default: reply = reply with { Error = "unknown", Detail = $"\"{request.Op}\" is no request" }; break;
        }

        agent.Send(reply);
        return true;
    }

    /// <summary>
    /// Goes on as another program, still the parent of its children. What an agent asked and got no answer to, it asks
    /// again of that program; so this answers only when it was refused.
    /// </summary>
    private KeeperReply Upgrade(KeeperRequest request, SpawnOrder program)
    {
        var refused = new KeeperReply(request.Id) { Error = "refused" };
        if (request.Form != Handover.CurrentForm)
        {
            return refused with { Detail = $"it takes handovers of form {request.Form}, this keeper's are of form {Handover.CurrentForm}" };
        }

        return _children.Hand() is not { } children
            ? refused with { Detail = $"what it knows cannot be written down: {_children.Trouble}" }
            : refused with { Detail = new Handover(Handover.CurrentForm, _gate, Fd(_listener), children).Execute(program, _paths) };
    }

    private static KeeperReply Gone(KeeperRequest request) =>
        new(request.Id) { Error = "gone", Detail = $"nothing lives under {request.Key}" };

    /// <summary>The connection to the agent: whole lines in, whole lines out, and never a wait for either.</summary>
    private sealed class AgentLink(Socket socket) : IDisposable
    {
        // An agent that does not read for this long a queue is as good as gone; it lists everything when it is back.
        private const int LongestQueue = 16 << 20;

        private readonly List<byte> _outgoing = [];
        private byte[] _incoming = new byte[16 << 10];
        private int _received;

        public int Fd => KeeperServer.Fd(socket);

        public bool IsBroken { get; private set; }

        public bool HasPending => _outgoing.Count > 0;

        public List<KeeperRequest> Receive()
        {
            var requests = new List<KeeperRequest>();
            if (_received == _incoming.Length) Array.Resize(ref _incoming, _incoming.Length * 2);
            var got = socket.Receive(_incoming.AsSpan(_received), SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock) return requests;
            if (error != SocketError.Success || got == 0 || _received > KeeperRequest.LongestFrame)
            {
                IsBroken = true;
                return requests;
            }

            _received += got;
            var at = 0;
            while (_incoming.AsSpan(at, _received - at).IndexOf((byte)'\n') is var length and >= 0)
            {
                requests.Add(JsonSerializer.Deserialize(_incoming.AsSpan(at, length), KeeperJson.Default.KeeperRequest)!);
                at += length + 1;
            }

            _incoming.AsSpan(at, _received - at).CopyTo(_incoming);
            _received -= at;
            return requests;
        }

        public void Send(KeeperReply reply)
        {
            if (IsBroken) return;
            _outgoing.AddRange(JsonSerializer.SerializeToUtf8Bytes(reply, KeeperJson.Default.KeeperReply));
            _outgoing.Add((byte)'\n');
            IsBroken = _outgoing.Count > LongestQueue;
            Flush();
        }

        public void Flush()
        {
            if (_outgoing.Count == 0 || IsBroken) return;
            var sent = socket.Send(_outgoing.ToArray(), SocketFlags.None, out var error);
            if (error is not (SocketError.Success or SocketError.WouldBlock)) IsBroken = true;
            else if (sent > 0) _outgoing.RemoveRange(0, sent);
        }

        public void Dispose() => socket.Dispose();
    }
}
