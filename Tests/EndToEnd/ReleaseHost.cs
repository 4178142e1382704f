using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Agent.Shell.Activators.Releases;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>What a release does to its host.</summary>
internal enum Fate
{
    Good,

    /// <summary>Its hook fails, after it was run.</summary>
    BadHook,

    /// <summary>It is switched to, and its probe then finds that it is no good.</summary>
    BadProbe,
}

/// <summary>
/// A real agent that follows a publisher. Every release has a hook that first writes down that it was run, in a file
/// that neither a kill nor a power cut of the agent's disk touches.
/// </summary>
internal sealed class ReleaseHost : IDisposable
{
    private readonly Publisher _publisher;
    private int _version;

    public ReleaseHost()
    {
        Agent = new AgentUnderTest();
        _publisher = new Publisher(Directory.CreateDirectory(Path.Combine(Agent.Home, "published")).FullName);
        Agent.Configure(_publisher.Yaml);
        File.WriteAllText(HookLog, "");
    }

    public AgentUnderTest Agent { get; }

    /// <summary>The digest of what the last decided rollout left on the host.</summary>
    public string Old { get; private set; } = "";

    private string HookLog => Path.Combine(Agent.Home, "hooks");

    private string Releases => Path.Combine(Agent.State, "releases");

    private string CurrentLink => Path.Combine(Releases, "channels", Publisher.Channel, "current");

    /// <summary>The digest that the link leads to.</summary>
    public string Current => Path.GetFileName(new FileInfo(CurrentLink).LinkTarget!);

    public Publication Publish(Fate fate, int hookMs, int soakMs)
    {
        var version = ++_version;
        var word = fate == Fate.BadProbe ? "bad" : "good";
        var slow = string.Create(CultureInfo.InvariantCulture, $"sleep {hookMs / 1000.0:0.000}\n");
        var end = fate == Fate.BadHook ? "exit 1\n" : "exit 0\n";
        return _publisher.Publish(
            version,
            $$"""
            policy: { soak: {{soakMs}}ms, failureThreshold: 1s, switchTimeout: 30s }
            probes:
              version: { exec: [/bin/sh, -c, "grep -qx 'good {{version}}' {{CurrentLink}}/version"], interval: 1s }
            """,
            ("version", $"{word} {version}\n"),
            ("activate", $"#!/bin/sh\necho \"$AGENT_ROLLOUT $AGENT_ACTION $AGENT_RELEASE\" >>{HookLog}\n{slow}{end}"));
    }

    /// <summary>The first release: what all later ones go back to.</summary>
    public async Task BeginAsync()
    {
        var first = Publish(Fate.Good, hookMs: 0, soakMs: 0);
        Assert.True(await AskAsync(first));
        Assert.Equal("converged", (string)(await DecidedAsync(first))["state"]!);
        Assert.Equal(first.Release.Sha256, Current);
        Old = Current;
    }

    /// <summary>
    /// Whether the agent said that it took the rollout; not, if it died before it could, or told of the disk that it was
    /// about to lose.
    /// </summary>
    public async Task<bool> AskAsync(Publication next, bool losesDisk = false)
    {
        try
        {
            var (status, body) = await Agent.PostAsync("/v1/rollouts", next.Body);
            if (losesDisk && status == 422 && (string?)body?["code"] == "disk") return false;
            Assert.True(status is 200 or 201, $"{status}: {body}");
            return true;
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            return false;
        }
    }

    /// <summary>What was acknowledged is known; else it is asked for again, which is harmless if it is known too.</summary>
    public async Task AskAgainAsync(Publication next, bool acknowledged)
    {
        if (acknowledged) await Agent.GetAsync($"/v1/rollouts/{next.Id}");
        else Assert.True(await AskAsync(next), "an agent that nobody killed did not answer");
    }

    /// <summary>Follows it until nothing more happens by itself.</summary>
    public async Task<JsonNode> DecidedAsync(Publication next)
    {
        JsonNode? info = null;
        await Agent.UntilAsync($"{next.Id} is decided, not {info}", async () =>
        {
            info = await Agent.GetAsync($"/v1/rollouts/{next.Id}");
            return (bool)info["decided"]!;
        });
        return info!;
    }

    /// <summary>Halfway or decided, the link leads to the old release or to the new one.</summary>
    public void LeadsToOldOr(Publication next) => Assert.Contains(Current, (string[])[Old, next.Release.Sha256]);

    /// <summary>
    /// The host runs what the rollout says, whole; each switch ran its hook once. Where nothing but the agent died, that
    /// leaves one outcome. Where a hook's end could be lost, going back is right for a good release too, and a hook may
    /// not have come to its first line.
    /// </summary>
    public void Judge(Publication next, Fate fate, JsonNode info, bool lossy)
    {
        var state = (string)info["state"]!;
        var lost = lossy && ((string?)info["cause"]?["detail"])?.Contains("hook ended with", StringComparison.Ordinal) == true;
        Assert.True(state == (fate == Fate.Good && !lost ? "converged" : "reverted"), $"{fate}: {info}");
        Assert.Equal(state == "converged" ? next.Release.Sha256 : Old, Current);
        using (var store = new ReleaseStore(Releases)) Assert.Null(store.Verify(Current));

        var (forward, back) = (
            HookLines($"{next.Id} activate sha256:{next.Release.Sha256}"), HookLines($"{next.Id} rollback sha256:{Old}"));
        var switchesBack = (int)info["activation"]! - 1;
        Assert.Equal(forward + back, HookLines(next.Id));
        Assert.InRange(forward, lossy ? 0 : 1, 1);
        Assert.InRange(back, lossy ? 0 : switchesBack, switchesBack);
        if (!lossy) Assert.Equal(state == "converged" ? 0 : 1, switchesBack);
        Old = Current;
    }

    public void Dispose()
    {
        Agent.Dispose();
        _publisher.Dispose();
    }

    private int HookLines(string begin) =>
        File.ReadLines(HookLog).Count(line => line.StartsWith(begin, StringComparison.Ordinal));
}
