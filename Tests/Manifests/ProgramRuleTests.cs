using System;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Shell.Config;
using Agent.Shell.Loop;
using Agent.Shell.Probes;
using Agent.Shell.Trust;
using Agent.Tests.Probes;
using Xunit;
using Refusal = Agent.Shell.Trust.Refusal;

namespace Agent.Tests.Manifests;

/// <summary>What exec probes may run.</summary>
public sealed class ProgramRuleTests : IDisposable
{
    private static readonly ReleaseId NixSystem =
        ReleaseId.Parse($"{ReleaseId.StorePrefix}{new string('a', 32)}-system").IfNoneUnsafe(() => null!)!;

    private readonly ManifestWorld _world = new();

    private string Tree => _world.Store.Store.PathOf(_world.Release.Sha256);

    private string Current => _world.Store.Store.PathOfCurrent(ManifestWorld.Channel);

    /// TR-4, RO-12, upstream restricted_profile_egress_is_fail_closed_and_endpoint_scoped: where exec probes are held
    /// to the release, a manifest that names another program is refused with its code and changes nothing, though the
    /// keys of manifests signed it.
    [Fact]
    public async Task A_program_outside_of_the_release_is_refused()
    {
        Hold();
        string[] outside =
        [
            "/bin/sh", $"{Tree}/../../../../bin/sh", $"{Current}/../../../../../bin/sh", $"{Tree}//app", $"{Tree}2/app", Tree,
            _world.Store.Store.PathOf(new string('a', 64)) + "/app", _world.Store.Store.PathOfCurrent("other") + "/app",
        ];
        foreach (var program in outside)
        {
            Assert.Equal("probe-outside-release", await _world.UnchangedAsync(() => OfferAsync(5, program)));
        }
    }

    /// TR-4, RO-12, upstream validate_fixed_path_accepts_absolute_clean: a program of the release is named by its place in the store or by the link to what runs.
    [Fact]
    public async Task A_program_of_the_release_is_taken()
    {
        Hold();
        Assert.Equal("taken", await OfferAsync(5, $"{Tree}/app"));
        Assert.Equal("taken", await OfferAsync(6, $"{Current}/app"));
    }

    /// RO-12, upstream legacy_nonrestricted_profile_preserves_existing_egress_behavior: unless it is asked for, a probe
    /// runs what it likes.
    [Fact]
    public async Task Any_program_is_taken_by_default() => Assert.Equal("taken", await OfferAsync(5, "/bin/sh"));

    /// TR-4: a link in the release that leads out of it is found once the release is there; one within it is fine.
    [Fact]
    public async Task Links_are_followed()
    {
        Hold();
        var (rule, order) = (new ProgramRule(_world.Store.Store, () => _world.Settings), await OrderAsync());
        File.CreateSymbolicLink(Path.Combine(Tree, "out"), "/bin/sh");
        File.CreateSymbolicLink(Path.Combine(Tree, "in"), "app");
        Assert.Contains("leads out of", rule.Fault(order, Exec($"{Current}/out")), StringComparison.Ordinal);
        Assert.Null(rule.Fault(order, Exec($"{Current}/in")));
        Assert.Null(rule.Fault(order, Exec($"{Current}/app")));
    }

    /// TR-4: a NixOS system's programs are below its store path, which the running system's link leads to.
    [Fact]
    public async Task A_system_is_a_release()
    {
        Hold();
        var rule = new ProgramRule(_world.Store.Store, () => _world.Settings);
        var order = await OrderAsync() with { Activator = ActivatorKind.Nixos, Target = NixSystem };
        Assert.Null(rule.Fault(order, Exec("/run/current-system/bin/check")));
        Assert.Null(rule.Fault(order, Exec($"{NixSystem}/bin/check")));
        Assert.NotNull(rule.Fault(order, Exec($"{ReleaseId.StorePrefix}{new string('b', 32)}-tools/bin/check")));
        Assert.NotNull(rule.Fault(order, Exec("/bin/sh")));
    }

    /// TR-4: the rule holds again when a probe is run: it may be newer than the rollout.
    [Fact]
    public async Task What_is_outside_is_not_run()
    {
        Assert.Equal("taken", await OfferAsync(5, "/bin/sh"));
        Hold();
        var (host, wall) = (_world.Host, new WallClock(() => _world.Host.Now));
        var runner = new ProbeRunner(
            host, new NoCommands(), new SignedEvidence(() => new Refusal(TrustFault.NoTrust, ""), () => "box", wall), wall,
            new ProgramRule(_world.Store.Store, () => _world.Settings));
        var order = host.Current.State.Rollouts.All.Values.First().Profile.Order;
        var result = await runner.RunAsync(order.Id, order.Probes[0], CancellationToken.None);
        Assert.StartsWith(
            "probe-outside-release: /bin/sh", Assert.IsType<ProbeOutcome.Inconclusive>(result!.Outcome).Detail,
            StringComparison.Ordinal);
    }

    public void Dispose() => _world.Dispose();

    private static ProbeCheck.Exec Exec(string program) => new(Probing.SeqOf(program));

    private void Hold() => _world.Settings = _world.Settings with { ExecProbes = ProbePrograms.Release };

    private async Task<RolloutOrder> OrderAsync()
    {
        Assert.Equal("taken", await OfferAsync(5, $"{Tree}/app"));
        return _world.Host.Current.State.Rollouts.All.Values.First().Profile.Order;
    }

    private Task<string> OfferAsync(int version, string program)
    {
        var manifest = _world.Manifest(version);
        manifest["probes"] = new JsonArray(new JsonObject
        {
            ["name"] = "check", ["mode"] = "enforce", ["intervalMs"] = 1000, ["timeoutMs"] = 1000, ["initialDelayMs"] = 0,
            ["successThreshold"] = 1, ["failureThreshold"] = 1, ["command"] = new JsonArray(program),
        });
        return _world.OfferAsync(_world.Bundle(manifest));
    }
}
