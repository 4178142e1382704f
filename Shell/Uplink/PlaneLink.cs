using System;
using System.Collections.Generic;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Time;
using Agent.Shell.Pki;

namespace Agent.Shell.Uplink;

/// <summary>
/// The agent's one way to its plane: who it is, the client that shows it, and how it went lately. Volatile on purpose:
/// what must outlive the agent is in the outbox.
/// </summary>
/// <param name="around">What stands between the client and its connections, if anything.</param>
internal sealed class PlaneLink(Func<Instant> clock, Func<HttpMessageHandler, HttpMessageHandler>? around = null) : IDisposable
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _attached = NotYet();
    private PlaneClient? _client;
    private ClientIdentity? _identity;
    private Instant? _heardAt;

    // By errand, so that an answer to one hides no failure of another.
    private readonly Dictionary<string, (Instant At, string Why)> _failures = new(StringComparer.Ordinal);

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

    /// <summary>When the plane last answered, and the newest of what goes wrong and has not gone well since.</summary>
    public (Instant? HeardAt, (Instant At, string Why)? Failure) Health
    {
        get
        {
            lock (_gate)
            {
                (Instant At, string Why)? newest = null;
                foreach (var failure in _failures.Values)
                {
                    if (newest is not { } other || failure.At >= other.At) newest = failure;
                }

                return (_heardAt, newest);
            }
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
        var connections = PlaneConnections.For(identity, clock);
        var client = new PlaneClient(plane, around?.Invoke(connections) ?? connections);
        lock (_gate)
        {
            _client?.Dispose();
            if (!ReferenceEquals(_identity, identity)) _identity?.Dispose();
            (_client, _identity, _heardAt) = (client, identity, null);
            _failures.Clear();
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
            (_client, _identity, _heardAt) = (null, null, null);
            _failures.Clear();
        }
    }

    /// <summary>The plane answered.</summary>
    public void Heard()
    {
        lock (_gate) _heardAt = clock();
    }

    /// <summary>There is nothing to say about this errand: it went well.</summary>
    public void Well(string errand)
    {
        lock (_gate) _failures.Remove(errand);
    }

    /// <summary>True where this is news: the errand went well before, or failed for another reason.</summary>
    public bool Failed(string errand, string why)
    {
        lock (_gate)
        {
            var told = $"{errand}: {why}";
            var news = !_failures.TryGetValue(errand, out var before) || before.Why != told;
            _failures[errand] = (clock(), told);
            return news;
        }
    }

    public void Dispose() => Detach();

    private static TaskCompletionSource NotYet() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static PlaneFailure Detached() => new(
        Core.Outbox.FailureKind.Unavailable, "no-plane", "no plane is configured; enrol this host with `agent enroll`");
}
