using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Shell.Containers;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Containers;

/// <summary>An engine that the tests of one class share, each of them as another instance.</summary>
public abstract class BackendWorld : IAsyncLifetime
{
    internal const string Image = "tiny:1";

    /// <summary>Why there is no such engine here; null where there is one.</summary>
    public string? Missing { get; protected set; }

    /// <summary>It tells changes by itself; else the agent learns of them with its passes.</summary>
    public virtual bool HasEvents => true;

    /// <summary>It tells output and errors apart.</summary>
    public virtual bool TellsStreamsApart => true;

    /// <summary>Where it speaks Docker's protocol, if it does.</summary>
    public virtual string? EngineSocket => null;

    internal abstract IContainerBackend Connect(string instance);

    public async Task InitializeAsync()
    {
        await BeginAsync();
        if (Missing is not null) return;
        using var archive = await TinyImage.ArchiveAsync(Image);
        using var engine = Connect("0");
        await engine.LoadAsync(archive, null, new Progress<ImageProgress>(), CancellationToken.None);
    }

    public abstract Task DisposeAsync();

    protected abstract Task BeginAsync();
}

/// <summary>What a test says to an engine, in the fewest words.</summary>
internal sealed class Rig(IContainerBackend backend) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public IContainerBackend Backend => backend;

    public static string NewInstance() => Guid.NewGuid().ToString("N");

    public static ContainerUid Uid(string text) => ContainerUid.Parse(text).IfNoneUnsafe(() => null!)!;

    /// <summary>Without a network, which most tests do not need and an engine takes long to make.</summary>
    public static ContainerDefinition Script(string uid, string script) => new(Uid(uid), BackendWorld.Image)
    {
        Command = ["/bin/sh", "-c", script],
        NetworkMode = "none",
    };

    public Task<string> CreateAsync(ContainerDefinition one, string digest = "d") =>
        backend.CreateAsync(one, digest, CancellationToken.None);

    public async Task<string> RunAsync(ContainerDefinition one, string digest = "d")
    {
        var id = await CreateAsync(one, digest);
        await backend.StartAsync(one.Uid, CancellationToken.None);
        return id;
    }

    public async Task<ObservedContainer?> FindAsync(string uid)
    {
        foreach (var one in await backend.ListAsync(CancellationToken.None))
        {
            if (one.Uid.Value == uid) return one;
        }

        return null;
    }

    public async Task<T> UntilAsync<T>(string uid)
        where T : ContainerStatus
    {
        var observed = await UntilAsync(uid, one => one.Status is T);
        return (T)observed.Status;
    }

    /// <summary>Asks again until it is so: an engine tells no more than how things stand.</summary>
    public async Task<ObservedContainer> UntilAsync(string uid, Func<ObservedContainer, bool> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        ObservedContainer? last = null;
        while (!patience.IsCancellationRequested)
        {
            last = await FindAsync(uid);
            if (last is not null && condition(last)) return last;
            await Task.Delay(20, CancellationToken.None);
        }

        throw new TimeoutException($"{uid} came no further than {last}");
    }

    public async Task<(string Output, string Error)> LogsAsync(string uid, bool follow = false, int? tail = null)
    {
        using var output = new System.IO.MemoryStream();
        using var error = new System.IO.MemoryStream();
        using var patience = new CancellationTokenSource(Patience);
        await foreach (var (stream, bytes) in backend.LogsAsync(Uid(uid), new LogRequest(follow, tail), patience.Token))
        {
            await (stream == LogStream.Output ? output : error).WriteAsync(bytes, patience.Token);
        }

        return (System.Text.Encoding.UTF8.GetString(output.ToArray()), System.Text.Encoding.UTF8.GetString(error.ToArray()));
    }

    public static async Task<ContainerException> FaultAsync(ContainerFault fault, Func<Task> call)
    {
        var failure = await Assert.ThrowsAsync<ContainerException>(call);
        Assert.True(failure.Fault == fault, $"{failure.Fault}: {failure.Message}");
        return failure;
    }

    public async ValueTask DisposeAsync()
    {
        IReadOnlyList<ObservedContainer> left = await backend.ListAsync(CancellationToken.None);
        foreach (var one in left) await backend.RemoveAsync(one.Uid, CancellationToken.None);
        backend.Dispose();
    }
}
