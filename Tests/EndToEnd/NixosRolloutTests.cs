using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Manifests;
using Agent.Shell.Trust;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>Signed rollouts to a NixOS host, from the command line to what boots next.</summary>
[Collection(nameof(FleetCollection))]
public sealed class NixosRolloutTests
{
    /// RO-4, RO-11: a system that is well converges; one that is not gives way to exactly the one before it, by
    /// itself. No script is run more often than its switch was ordered.
    [SkippableFact]
    public async Task A_system_that_is_not_well_gives_way_to_the_one_before_it()
    {
        using var site = await NixosSite.StartAsync();
        var first = site.Host.Install(Well("first"));
        var (second, third) = (site.Host.Build(Well("second")), site.Host.Build(new("third")));

        var (code, good) = await site.ApplyAsync(second);
        Assert.Equal((0, "converged", first.Value), (code, (string)good["state"]!, (string)good["previous"]!));
        site.IsOn(second);

        (code, var bad) = await site.ApplyAsync(third);
        Assert.Equal((1, "reverted", "probes-failed"), (code, (string)bad["state"]!, (string)bad["cause"]!["code"]!));
        Assert.Equal(second.Value, (string)bad["previous"]!);
        site.IsOn(second);
        Assert.Equal([$"switch {second}", $"switch {third}", $"switch {second}"], site.Host.Runs);
        await ReplayTests.ReplaysToItsDigestAsync(site.Agent);
    }

    /// RO-9: what needs a reboot waits for it, and goes on after it without anybody's help.
    [SkippableFact]
    public async Task What_needs_a_reboot_goes_on_by_itself_after_it()
    {
        using var site = await NixosSite.StartAsync();
        var first = site.Host.Install(Well("first"));
        var next = site.Host.Build(Well("next") with { Kernel = "6.6" });
        var id = await site.DeferAsync(next);
        Assert.Equal((first, next, next), (site.Host.Current, site.Host.Profile, site.Host.Bootloader));

        site.PowerOff();
        site.Host.Reboot();
        await site.PowerOnAsync();
        var end = await site.ReachesAsync(id, "converged");
        Assert.Equal(first.Value, (string)end["previous"]!);
        site.IsOn(next);
        Assert.Equal([$"boot {next}"], site.Host.Runs);
        Assert.Contains("the switch is over", await site.ExplainAsync(id), StringComparison.Ordinal);
        await ReplayTests.ReplaysToItsDigestAsync(site.Agent);
    }

    /// RO-4, RO-9: the reboot came up in the old system, as one does that chose it from the boot menu. That is a
    /// failure, and after the way back the next boot starts the old one too.
    [SkippableFact]
    public async Task A_reboot_into_the_old_system_is_a_failure_and_stays_there()
    {
        using var site = await NixosSite.StartAsync();
        var first = site.Host.Install(Well("first"));
        var next = site.Host.Build(Well("next") with { Kernel = "6.6" });
        var id = await site.DeferAsync(next);

        site.PowerOff();
        site.Host.Start(first);
        await site.PowerOnAsync();
        var end = await site.ReachesAsync(id, "reverted");
        Assert.Equal("wrong-release", (string)end["cause"]!["code"]!);
        site.IsOn(first);
        Assert.Equal([$"boot {next}", $"switch {first}"], site.Host.Runs);
        await ReplayTests.ReplaysToItsDigestAsync(site.Agent);
    }

    /// RO-3, RO-11: kill -9 of the agent in the middle of the switch script. It goes on, ends before or after the next
    /// agent is there, and is run once either way.
    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_script_of_a_dead_agent_is_run_once(bool endsMeanwhile)
    {
        using var site = await NixosSite.StartAsync();
        site.Host.Install(Well("first"));
        var next = site.Host.Build(Well("next") with { Before = "cat \"$root/gate\" >/dev/null" });
        var (_, begun) = await site.ApplyAsync(next, "--detach");
        await using (await site.OpenGateAsync())
        {
            site.Agent.KillAgent();
            if (!endsMeanwhile) await site.Agent.StartAsync();
        }

        if (endsMeanwhile)
        {
            await site.Agent.UntilAsync("the script is over", () => Task.FromResult(site.Host.Current == next));
            await site.Agent.StartAsync();
        }

        await site.ReachesAsync((string)begun["id"]!, "converged");
        site.IsOn(next);
        Assert.Equal([$"switch {next}"], site.Host.Runs);
        await ReplayTests.ReplaysToItsDigestAsync(site.Agent);
    }

    /// RO-4, RO-11: a script that fails after the links went over is a failure, the host goes back, and the reason is
    /// told in the script's own words.
    [SkippableFact]
    public async Task A_script_that_fails_leads_back_and_its_last_words_are_told()
    {
        using var site = await NixosSite.StartAsync();
        var first = site.Host.Install(Well("first"));
        var next = site.Host.Build(Well("next") with { After = "echo no unit could start >&2; exit 4" });
        var (code, end) = await site.ApplyAsync(next);
        Assert.Equal((1, "reverted", "switch-failed"), (code, (string)end["state"]!, (string)end["cause"]!["code"]!));
        site.IsOn(first);
        Assert.Equal([$"switch {next}", $"switch {first}"], site.Host.Runs);
        var told = await site.ExplainAsync((string)end["id"]!);
        Assert.Contains("switch-failed", told, StringComparison.Ordinal);
        Assert.Contains("exit code 4: no unit could start", told, StringComparison.Ordinal);
        await ReplayTests.ReplaysToItsDigestAsync(site.Agent);
    }

    /// <summary>A system with what the probe looks for.</summary>
    private static TinySystem Well(string name) => new(name)
    {
        Files = new Dictionary<string, string>(StringComparer.Ordinal) { ["health"] = "well\n" },
    };
}

/// <summary>A NixOS host in a folder, a real agent on it, and the key of whoever publishes for it.</summary>
internal sealed class NixosSite : IDisposable
{
    private const string Channel = "stable";

    // The boot id is the kernel's; only this agent and what it starts see another.
    private const string OnAnotherBoot = "mount --bind \"$0\" /proc/sys/kernel/random/boot_id && exec \"$@\"";

    private readonly SigningKey _key = SigningKey.Generate(KeyAlgorithm.Ed25519);
    private int _version;

    private NixosSite()
    {
        Agent = new AgentUnderTest();
        var keys = new[] { RoleName.Root, RoleName.Release, RoleName.Manifest }.ToDictionary(r => r, _ => _key.PublicKey);
        SignedFile.Write(In("trust.json"), TrustDraft.First(DateTimeOffset.UtcNow, keys));
        var yaml = new StringBuilder($"""
            host: {"{"} name: tiny {"}"}
            rollout: {"{"} trust: {In("trust.json")} {"}"}
            nixos:
              profile: {Host.Paths.Profile}
              currentSystem: {Host.Paths.CurrentSystem}
              gcRoots: {Host.Paths.GcRoots}
              storeRoot: {Host.Paths.StoreRoot}
              environment:

            """);
        foreach (var (name, value) in Host.Paths.Environment) yaml.Append($"    {name}: {JsonSerializer.Serialize(value)}\n");
        Agent.Configure(yaml.ToString());
    }

    public TinyNixos Host { get; } = new();

    public AgentUnderTest Agent { get; }

    public static async Task<NixosSite> StartAsync()
    {
        Skip.IfNot(TinyNixos.IsAvailable, TinyNixos.Missing);
        Skip.IfNot(Environment.IsPrivilegedProcess, "only root may change what a host runs");
        var site = new NixosSite();
        await site.Agent.StartAsync();
        return site;
    }

    /// <summary>
    /// Signs a rollout to a system and applies it; answers the exit code and where the rollout stands by then: decided,
    /// or with --detach just accepted.
    /// </summary>
    public async Task<(int Code, JsonNode Rollout)> ApplyAsync(ReleaseId target, params string[] options)
    {
        var (draft, manifest) = (In("rollout.yaml"), In("rollout.json"));
        await File.WriteAllTextAsync(draft, $$"""
            channel: {{Channel}}
            version: {{++_version}}
            activator: nixos
            target: {{target}}
            hosts: [tiny]
            policy: { soak: 1s, failureThreshold: 1s, onFailure: rollback-and-halt }
            probes:
              health: { exec: [/bin/grep, -q, well, {{Host.RunningFolder}}/health], interval: 1s, timeout: 10s }
            """);
        SignedFile.Write(manifest, ManifestDraft.Read(draft, target: null, DateTimeOffset.UtcNow));
        Assert.Null(SignedFile.Sign(manifest, _key, ManifestReader.MaxBytes));
        var (code, output, error) = await AskAsync(["apply", manifest, "-o", "json", .. options]);
        Assert.True(output.Length > 0, error);
        return (code, JsonNode.Parse(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1])!);
    }

    /// <summary>Applies what needs a reboot; answers the rollout's id.</summary>
    public async Task<string> DeferAsync(ReleaseId target)
    {
        Skip.IfNot(Mounts.Run("unshare", "-m", "true"), "needs mount namespaces");
        var (_, rollout) = await ApplyAsync(target);
        Assert.Equal("deferred", (string)rollout["state"]!);
        return (string)rollout["id"]!;
    }

    public async Task<JsonNode> ReachesAsync(string id, string state)
    {
        JsonNode? rollout = null;
        await Agent.UntilAsync($"{id} is {state}", async () =>
        {
            rollout = await Agent.GetAsync($"/v1/rollouts/{id}");
            return (string)rollout["state"]! == state;
        });
        return rollout!;
    }

    public async Task<string> ExplainAsync(string id) => (await AskAsync("explain", id)).Out;

    /// <summary>Opened once the script has come to it; the script waits until it is closed.</summary>
    public Task<FileStream> OpenGateAsync() =>
        Task.Run(() => new FileStream(Host.Gate, FileMode.Open, FileAccess.Write)).WaitAsync(AgentUnderTest.Patience);

    /// <summary>Nobody lives on, and what lies under /run is gone.</summary>
    public void PowerOff()
    {
        Agent.KillAgent();
        Agent.KillKeeper();
        Directory.Delete(Agent.Runtime, recursive: true);
    }

    public async Task PowerOnAsync()
    {
        var boot = In("boot-id");
        await File.WriteAllTextAsync(boot, $"{Guid.NewGuid()}\n");
        await Agent.StartAsync("unshare", "-m", "sh", "-c", OnAnotherBoot, boot);
    }

    /// <summary>It runs, it boots next, and it is the newest generation.</summary>
    public void IsOn(ReleaseId system) =>
        Assert.Equal((system, system, system), (Host.Current, Host.Bootloader, Host.Profile));

    public void Dispose()
    {
        Agent.Dispose();
        Host.Dispose();
        _key.Dispose();
    }

    private string In(string file) => Path.Combine(Agent.Home, file);

    private Task<(int Code, string Out, string Error)> AskAsync(params string[] words) =>
        AgentUnderTest.RunAsync(["rollout", .. words, "--socket", Agent.Socket]);
}
