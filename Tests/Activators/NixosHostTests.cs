using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Activators;
using Agent.Shell.Activators.Nixos;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Activators;

/// <summary>A real Nix store with real generations, and systems of a few files to switch between.</summary>
public abstract class NixosHostTests : IDisposable
{
    private protected static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static readonly RolloutId Rollout = RolloutId.Parse("stable@abcdef0").IfNoneUnsafe(() => null!)!;

    private readonly TinyNixos? _host = TinyNixos.IsAvailable ? new TinyNixos() : null;

    private protected CommandsOnce Commands { get; } = new();

    private protected TinyNixos Host
    {
        get
        {
            Skip.If(_host is null, TinyNixos.Missing);
            return _host;
        }
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) => _host?.Dispose();

    private protected static SwitchRequest Forward(ReleaseId to, ReleaseId? from, int activation = 1) =>
        new(Rollout, activation, to, from, Limit, IsRollback: false);

    private protected static SwitchRequest Back(ReleaseId to, ReleaseId from, int activation) =>
        new(Rollout, activation, to, from, Limit, IsRollback: true);

    private protected static ReleaseId Release(string text) => ReleaseId.Parse(text).IfNoneUnsafe(() => null!)!;

    private protected static ReleaseId Broken(ReleaseId release, Action<ReleaseId> how)
    {
        how(release);
        return release;
    }

    private protected static Task<ActivationException> FailsAsync(Func<Task> call) =>
        Assert.ThrowsAsync<ActivationException>(call);

    /// <summary>Its script waits until somebody has opened the gate and closed it again.</summary>
    private protected static TinySystem Gated(string name) => new(name) { Before = "cat \"$root/gate\" >/dev/null" };

    /// <summary>An agent that has just started.</summary>
    private protected NixosActivator Activator() => new(Host.Paths, Commands);

    private protected Task<ReleaseId?> RunningAsync() =>
        Activator().RunningAsync(Rollout.Channel, CancellationToken.None);

    private protected async Task<SwitchResult> PrepareAndSwitchAsync(SwitchRequest request)
    {
        await Activator().PrepareAsync(request, CancellationToken.None);
        return await Activator().SwitchAsync(request, CancellationToken.None);
    }

    /// <summary>Opened once the script has come to it.</summary>
    private protected Task<FileStream> OpenGateAsync() =>
        Task.Run(() => new FileStream(Host.Gate, FileMode.Open, FileAccess.Write)).WaitAsync(Limit);
}
