using System;
using System.IO;
using System.Net.Http;
using System.Net.Sockets;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

namespace Agent.Shell.Containers.Engine;

/// <summary>
/// The time that one call, or one silence within it, may last; and what a call that went wrong is told as.
/// </summary>
internal sealed class CallLimit : IDisposable
{
    private readonly string _what;
    private TimeSpan _limit;
    private readonly CancellationToken _stop;
    private readonly CancellationToken _left;
    private readonly CancellationTokenSource _source;

    /// <param name="left">The agent has left the engine: what goes on ends, and whoever follows it is told.</param>
    public CallLimit(string what, TimeSpan limit, CancellationToken stop, CancellationToken left = default)
    {
        (_what, _limit, _stop, _left) = (what, limit, stop, left);
        _source = CancellationTokenSource.CreateLinkedTokenSource(stop, left);
        Extend();
    }

    public CancellationToken Token => _source.Token;

    /// <summary>Something moved: the silence begins anew.</summary>
    public void Extend() => _source.CancelAfter(_limit);

    /// <summary>It has begun well, and may be silent for as long as it likes.</summary>
    public void Lift()
    {
        _limit = Timeout.InfiniteTimeSpan;
        Extend();
    }

    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> call)
    {
        try
        {
            return await call(Token).ConfigureAwait(false);
        }
        catch (Exception failure) when (Tell(failure) is { } told)
        {
            // Whoever gave the call up wants no reason, whatever became of it.
            _stop.ThrowIfCancellationRequested();
            throw told;
        }
    }

    public void Dispose() => _source.Dispose();

    /// <summary>Null for what is no failure of the engine's.</summary>
    private ContainerException? Tell(Exception failure) => failure switch
    {
        OperationCanceledException or ObjectDisposedException or HttpRequestException or IOException
            when _left.IsCancellationRequested => new(ContainerFault.Unreachable, $"the agent has left this engine ({_what})"),
        OperationCanceledException => new(
            ContainerFault.TimedOut, FormattableString.Invariant($"no answer within {_limit.TotalSeconds:0.#} s ({_what})")),
        HttpRequestException { InnerException: SocketException socket } =>
            new(ContainerFault.Unreachable, $"no connection to the engine: {socket.Message}", failure),
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } =>
            new(ContainerFault.Garbage, $"the answer is not HTTP ({_what})", failure),
        HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } =>
            new(ContainerFault.Garbage, $"the answer's head is too long ({_what})", failure),
        HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse } =>
            new(ContainerFault.Garbage, $"the answer is not HTTP ({_what})", failure),
        HttpRequestException or IOException =>
            new(ContainerFault.Unreachable, $"the engine broke the connection ({_what})", failure),
        JsonException => new(ContainerFault.Garbage, $"the answer is not understood ({_what})", failure),
        _ => null,
    };
}
