using System;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Companion;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Shell.Companions;
using Agent.Shell.Linux;
using Agent.Shell.Loop;
using Agent.Shell.Observability;
using LanguageExt;
using Effect = Agent.Core.Companion.CompanionEffect;

namespace Agent.Shell.Effects;

/// <summary>
/// Writes unit files and tells systemd what the core decided. The command bounds each of its calls in time; files are
/// small and in a folder of the host's own.
/// </summary>
/// <param name="start">See <see cref="CallsUnderWay"/>.</param>
internal sealed class CompanionInterpreter(
    IHost host, DeclaredCompanions declared, Systemctl systemctl, Task start) : IAsyncDisposable
{
    private readonly CallsUnderWay _calls = new(host, start);

    /// <summary>Begins the call and returns at once.</summary>
    public void Run(Effect effect)
    {
        Func<CancellationToken, Task<CompanionsEvent?>>? call = effect switch
        {
            Effect.Look(var pass, var names) => stop => LookAsync(pass, names, stop),
            Effect.Reload(var number) => stop => ReloadAsync(number, stop),
            Effect.Write e => stop => OneAsync(e.Name, e.Call, _ => WriteAsync(e), stop),
            Effect.Start e => stop => OneAsync(e.Name, e.Call, s => systemctl.StartAsync(e.Name, s), stop),
            Effect.Restart e => stop => OneAsync(e.Name, e.Call, s => systemctl.RestartAsync(e.Name, s), stop),
            Effect.Stop e => stop => OneAsync(e.Name, e.Call, s => systemctl.StopAsync(e.Name, s), stop),
            Effect.Remove e => stop => OneAsync(e.Name, e.Call, s => RemoveAsync(e, s), stop),
            Effect.Reject => null,
        };
        if (call is null) return;
        _calls.Begin(async stop =>
            await call(stop).ConfigureAwait(false) is { } outcome ? new HostEvent.CompanionsReported(outcome) : null);
    }

    /// <summary>Begins nothing more. Companions go on.</summary>
    public ValueTask DisposeAsync() => _calls.DisposeAsync();

    private async Task<CompanionsEvent?> LookAsync(int pass, Seq<CompanionName> names, CancellationToken stop)
    {
        if (host.Current.State.Companions.Pass > pass) return null;
        var found = Seq<ObservedCompanion>.Empty;
        var why = await WhyNotAsync(async s => found = await SeeAsync(names, s).ConfigureAwait(false), stop).ConfigureAwait(false);
        if (why is not null) return new CompanionsEvent.LookFailed(pass, why);
        return host.Current.State.Companions.Agrees(found)
            ? new CompanionsEvent.LookConfirmed(pass)
            : new CompanionsEvent.Looked(pass, found);
    }

    private async Task<Seq<ObservedCompanion>> SeeAsync(Seq<CompanionName> names, CancellationToken stop)
    {
        var folder = declared.Folder;
        var reports = await systemctl.ShowAsync([.. names], stop).ConfigureAwait(false);
        var found = new ObservedCompanion[reports.Count];
        for (var i = 0; i < found.Length; i++)
        {
            var (name, report) = (names[i], reports[i]);
            var path = folder.PathOf(name, report.Fragment);
            var foreign = report.WhyForeign(path);
            found[i] = new(name, foreign is null ? folder.Read(path) : new UnitFile.Foreign(foreign), report.Activity);
        }

        return found.ToSeq();
    }

    private async Task<CompanionsEvent?> ReloadAsync(int number, CancellationToken stop)
    {
        var why = await WhyNotAsync(systemctl.ReloadAsync, stop).ConfigureAwait(false);
        return why is null ? new CompanionsEvent.ReloadCompleted(number) : new CompanionsEvent.ReloadFailed(number, why);
    }

    private Task WriteAsync(Effect.Write e)
    {
        declared.Folder.Write(e.Name, declared.Find(e.Name, e.Digest));
        return Task.CompletedTask;
    }

    private async Task RemoveAsync(Effect.Remove e, CancellationToken stop)
    {
        var folder = declared.Folder;
        if (!folder.Has(e.Name)) return;
        await systemctl.DisableAsync(e.Name, stop).ConfigureAwait(false);
        if (e.Failed) await systemctl.ResetFailedAsync(e.Name, stop).ConfigureAwait(false);
        folder.Delete(e.Name);
    }

    private static async Task<CompanionsEvent?> OneAsync(
        CompanionName name, int call, Func<CancellationToken, Task> act, CancellationToken stop)
    {
        var why = await WhyNotAsync(act, stop).ConfigureAwait(false);
        if (why is not null) Log.Warn("a companion's call failed", ("companion", name), ("why", why));
        return new CompanionsEvent.One(
            name, why is null ? new CompanionEvent.CallCompleted(call) : new CompanionEvent.CallFailed(call, why));
    }

    /// <summary>Why nothing came of it; null if something did. Only the agent's own end is neither.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "whatever it was, it is the call's failure and told as such")]
    private static async Task<string?> WhyNotAsync(Func<CancellationToken, Task> act, CancellationToken stop)
    {
        try
        {
            await act(stop).ConfigureAwait(false);
            return null;
        }
        catch (Exception failure) when (!stop.IsCancellationRequested)
        {
            if (failure is not (IOException or UnauthorizedAccessException or FileFailure))
            {
                Log.Fail("a call to systemd broke", ("error", failure));
            }

            return BoundedText.Reason(failure.Message);
        }
    }
}
