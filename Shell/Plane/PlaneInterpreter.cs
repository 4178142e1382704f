using System;
using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Shell.Loop;
using Agent.Shell.Observability;
using LanguageExt;

namespace Agent.Shell.Plane;

/// <summary>
/// What follows from the plane's decisions. What a host may have, who is shut out and what is in quarantine is read from
/// the published state; so most effects only have to wake somebody or be told to the log.
/// </summary>
internal sealed class PlaneInterpreter(DispatchBell bell) : IEffects<PlaneEffect>
{
    public void Run(PlaneEffect effect) => _ = effect switch
    {
        PlaneEffect.Offer(_, var hosts) => Ring(hosts),
        PlaneEffect.WaveOpened(var id, var wave) => Info("a wave is open", ("rollout", id), ("wave", wave)),
        PlaneEffect.Moved(var id, var phase) => Info("a rollout moved", ("rollout", id), ("to", phase.GetType().Name)),
        PlaneEffect.Quarantined(var channel, var release, var host) =>
            Warn("a release is in quarantine", ("channel", channel), ("release", release), ("host", host)),
        PlaneEffect.QuarantineLifted(var channel, var release) =>
            Info("a release left quarantine", ("channel", channel), ("release", release)),
        PlaneEffect.Revoke(var host, _) => Ring(Prelude.Seq1(host)) && Warn("a host is shut out", ("host", host)),

        // Whoever asked has the decision and goes on by itself.
        PlaneEffect.Certify or PlaneEffect.Answer or PlaneEffect.Reject => true,
    };

    private bool Ring(Seq<HostName> hosts)
    {
        foreach (var host in hosts) bell.Ring(host);
        return true;
    }

    private static bool Info(string what, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        Log.Info(what, values);
        return true;
    }

    private static bool Warn(string what, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        Log.Warn(what, values);
        return true;
    }
}
