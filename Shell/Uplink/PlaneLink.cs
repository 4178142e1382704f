using System;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Time;
using Agent.Shell.Pki;

namespace Agent.Shell.Uplink;

/// <summary>
/// The agent's one way to its plane: who it is, the client that shows it, and how it went lately. Volatile on purpose:
/// what must outlive the agent is in the outbox.
/// </summary>
internal sealed class PlaneLink(Func<Instant> clock) : IDisposable
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _attached = NotYet();
    private PlaneClient? _client;
    private ClientIdentity? _identity;
    private Instant? _heardAt;
    private (Instant At, string Why)? _failure;

    /// <summary>By which certificates are judged.</summary>
    public Instant Now => clock();

    /// <summary>Throws <see cref="PlaneFailure"/> while no plane is configured.</summary>
    public PlaneClient Client
    {
        get
        {
            lock (_gate) return _client ?? throw Detached();
        }
    }

    public ClientIdentity Identity
    {
        get
        {
            lock (_gate) return _identity ?? throw Detached();
        }
    }

    public Uri? Plane
    {
        get
        {
            lock (_gate) return _client?.Plane;
        }
    }

    /// <summary>When the plane last answered, and what went wrong since, if anything.</summary>
    public (Instant? HeardAt, (Instant At, string Why)? Failure) Health
    {
        get
        {
            lock (_gate) return (_heardAt, _failure);
        }
    }

    /// <summary>Ends when a plane is attached the next time, be it the same.</summary>
    public Task NextAttachment
    {
        get
        {
            lock (_gate) return _attached.Task;
        }
    }

    /// <summary>From here on it is this plane, as this host.</summary>
    public void Attach(Uri plane, ClientIdentity identity)
    {
        var client = new PlaneClient(plane, PlaneConnections.For(identity, clock));
        lock (_gate)
        {
            _client?.Dispose();
            if (!ReferenceEquals(_identity, identity)) _identity?.Dispose();
            (_client, _identity, _heardAt, _failure) = (client, identity, null, null);
            _attached.SetResult();
            _attached = NotYet();
        }
    }

    public void Detach()
    {
        lock (_gate)
        {
            _client?.Dispose();
            _identity?.Dispose();
            (_client, _identity, _heardAt, _failure) = (null, null, null, null);
        }
    }

    public void Heard()
    {
        lock (_gate) (_heardAt, _failure) = (clock(), null);
    }

    /// <summary>True where this is news: the first failure since an answer, or another one than the last.</summary>
    public bool Failed(string why)
    {
        lock (_gate)
        {
            var news = _failure?.Why != why;
            _failure = (clock(), why);
            return news;
        }
    }

    public void Dispose() => Detach();

    private static TaskCompletionSource NotYet() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static PlaneFailure Detached() => new(
        Core.Outbox.FailureKind.Unavailable, "no-plane", "no plane is configured; enrol this host with `agent enroll`");
}
