using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;
using Agent.Shell.Config;
using Agent.Shell.Manifests;
using Agent.Shell.Trust;
using Agent.Shell.Uplink;

namespace Agent.Shell.Cli;

/// <summary>`agent fleet …`: many hosts, asked through their plane.</summary>
internal static class FleetVerbs
{
    // A hundred thousand hosts with a few hundred bytes each.
    private const int MostOfAFleet = 256 << 20;

    private static readonly Argument<string> Host = new("HOST") { Description = "A host by its name" };
    private static readonly Argument<string> Channel = new("CHANNEL") { Description = "A channel" };
    private static readonly Argument<string?> OptionalId = new("ID")
    {
        Description = "A rollout, or a channel for its newest; all if it is left out", Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Argument<string> Manifest = new("MANIFEST") { Description = "A signed manifest; its signatures lie beside it in MANIFEST.sig" };
    private static readonly Option<string[]> Release = new("--release")
    {
        Description = "An archive that it names, its signed descriptor beside it; repeat for several", HelpName = "ARCHIVE",
    };

    private static readonly Option<bool> Detach = new("--detach") { Description = "Do not follow it; 0 says that it was published" };
    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on with what comes" };
    private static readonly Option<string> Life = new("--for") { Description = "How long the token may be used", HelpName = "24h", DefaultValueFactory = _ => "24h" };

    private static readonly Option<string?> Until = SpawnVerb.Text("--for", "60s", "End after this long");

    public static Command Tree() => Invocation.Group(
        "fleet", "Many hosts through their plane: look, publish, halt, let in, shut out", "agent fleet rollouts",
        PlaneCommand.Asking("hosts", "All hosts, and where their rollouts stand", "agent fleet hosts", HostsAsync),
        PlaneCommand.Asking("rollouts", "All rollouts, newest first, wave by wave", "agent fleet rollouts", RolloutsAsync),
        PlaneCommand.Asking("show", "One rollout and its hosts", "agent fleet show stable", ShowAsync, OptionalId),
        PlaneCommand.Asking("watch", "Follow the waves as they move", "agent fleet watch", WatchAsync, Until),
        PlaneCommand.Asking(
            "explain", "Why a host has what it has, or what it waits for", "agent fleet explain web-1", ExplainAsync, Host),
        PlaneCommand.Asking(
            "publish", "Hand a signed manifest and its releases to the plane and follow it; 0 only if the fleet converged",
            "agent fleet publish rollout.json --release app.tar.gz", PublishAsync, Manifest, Release, Detach),
        PlaneCommand.Asking("halt", "Offer nothing more on a channel", "agent fleet halt stable", (p, c, s) => AskAsync(p, c, "halt", s), Channel),
        PlaneCommand.Asking("resume", "Offer on a channel again", "agent fleet resume stable", (p, c, s) => AskAsync(p, c, "resume", s), Channel),
        PlaneCommand.Asking("token", "A one-time token that lets a host in", "agent fleet token web-1 --for 24h", TokenAsync, Host, Life),
        PlaneCommand.Asking("revoke", "Shut a host out at once", "agent fleet revoke web-1", RevokeAsync, Host),
        PlaneCommand.Asking("events", "The plane's journal", "agent fleet events -f", EventsAsync, Follow));

    private static async Task<int> HostsAsync(ParseResult parsed, PlaneClient plane, CancellationToken stop)
    {
        var fleet = await FleetAsync(plane, stop).ConfigureAwait(false);
        if (Invocation.WantsJson(parsed)) Invocation.Say(JsonSerializer.Serialize(fleet, PlaneAnswers.Default.FleetInfo));
        else if (fleet.Hosts.Count == 0) Invocation.Say("no host is enrolled; `agent fleet token NAME` lets one in");
        else Invocation.Say(FleetText.Hosts(fleet.Hosts));
        return ExitCodes.Done;
    }

    private static async Task<int> RolloutsAsync(ParseResult parsed, PlaneClient plane, CancellationToken stop)
    {
        var fleet = await FleetAsync(plane, stop).ConfigureAwait(false);
        if (Invocation.WantsJson(parsed)) Invocation.Say(JsonSerializer.Serialize(fleet, PlaneAnswers.Default.FleetInfo));
        else if (fleet.Rollouts.Count == 0) Invocation.Say("nothing is published; `agent fleet publish` hands a manifest over");
        else Invocation.Say(FleetText.Rollouts(fleet));
        return ExitCodes.Done;
    }

    private static async Task<int> ShowAsync(ParseResult parsed, PlaneClient plane, CancellationToken stop)
    {
        var fleet = await FleetAsync(plane, stop).ConfigureAwait(false);
        var meant = parsed.GetValue(OptionalId) is { } name ? [Meant(fleet, name)] : fleet.Rollouts.Where(one => one.Newest).ToArray();
        foreach (var one in meant)
        {
            if (Invocation.WantsJson(parsed)) Invocation.Say(JsonSerializer.Serialize(one, PlaneAnswers.Default.FleetRolloutInfo));
            else Invocation.Say(FleetText.Rollout(one, fleet.Hosts));
        }

        return ExitCodes.Done;
    }

    private static async Task<int> WatchAsync(ParseResult parsed, PlaneClient plane, CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        if (parsed.GetValue(Until) is { } text)
        {
            ending.CancelAfter(Durations.Parse(text) ?? throw new CommandFailure(ExitCodes.Usage, $"--for {text}: give it as a duration such as 60s"));
        }

        try
        {
            var view = new FleetText.View(live: !Console.IsOutputRedirected);
            await foreach (var line in plane.LinesAsync("/v1/fleet/watch", ending.Token).ConfigureAwait(false))
            {
                if (Invocation.WantsJson(parsed)) Invocation.Say(line);
                else view.Show(JsonSerializer.Deserialize(line, PlaneAnswers.Default.FleetInfo)!);
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // The time that it was asked for is over.
        }

        return ExitCodes.Done;
    }

    private static async Task<int> ExplainAsync(ParseResult parsed, PlaneClient plane, CancellationToken stop)
    {
        var path = $"/v1/fleet/explain/{Uri.EscapeDataString(parsed.GetValue(Host)!)}";
        var host = await plane.GetAsync(
            path, PlaneAnswers.Default.FleetHostInfo, Protocol.MaxAnswerBytes, PlaneClient.Patience, stop).ConfigureAwait(false);
        if (Invocation.WantsJson(parsed)) Invocation.Say(JsonSerializer.Serialize(host!, PlaneAnswers.Default.FleetHostInfo));
        else Invocation.Say(FleetText.Host(host!));
        return ExitCodes.Done;
    }

    /// <summary>Archives first, so that no host is offered what it cannot fetch.</summary>
    private static async Task<int> PublishAsync(ParseResult parsed, PlaneClient plane, CancellationToken stop)
    {
        var manifest = parsed.GetValue(Manifest)!;
        var releases = new List<SignedInfo>();
        foreach (var archive in parsed.GetValue(Release) ?? [])
        {
            var descriptor = archive + SignVerbs.DescriptorSuffix;
            releases.Add(Signed(descriptor, ReleaseDescriptor.MaxBytes));
            var (sha256, _) = await SignVerbs.DigestAsync(archive, stop).ConfigureAwait(false);
            await using var file = File.OpenRead(archive);
            await plane.UploadAsync($"/v1/fleet/archives/{sha256}", file, stop).ConfigureAwait(false);
        }

        var rollout = await plane.PostAsync(
            "/v1/fleet/publish", new PublishRequest(Signed(manifest, ManifestReader.MaxBytes), releases),
            PlaneRequests.Default.PublishRequest, PlaneAnswers.Default.FleetRolloutInfo, stop).ConfigureAwait(false);
        if (!parsed.GetValue(Detach)) return await FollowAsync(parsed, plane, rollout.Id, stop).ConfigureAwait(false);
        Invocation.Say(Invocation.WantsJson(parsed)
            ? JsonSerializer.Serialize(rollout, PlaneAnswers.Default.FleetRolloutInfo)
            : $"{rollout.Id} version {rollout.Version} {rollout.State}: {Screen.Clean(rollout.Summary)}");
        return ExitCodes.Done;
    }

    /// <summary>Until nothing more happens to it by itself. A line for each change; with -o json the fleet at each.</summary>
    private static async Task<int> FollowAsync(ParseResult parsed, PlaneClient plane, string id, CancellationToken stop)
    {
        var view = new FleetText.View(live: !Console.IsOutputRedirected, id);
        await foreach (var line in plane.LinesAsync("/v1/fleet/watch", stop).ConfigureAwait(false))
        {
            var fleet = JsonSerializer.Deserialize(line, PlaneAnswers.Default.FleetInfo)!;
            if (Invocation.WantsJson(parsed)) Invocation.Say(line);
            else view.Show(fleet);
            if (fleet.Rollouts.FirstOrDefault(one => one.Id == id) is not { } rollout) continue;
            if (IsOver(rollout, fleet)) return rollout.State == "converged" ? ExitCodes.Done : ExitCodes.Failed;
        }

        throw new CommandFailure(ExitCodes.NoAgent, "the plane ended the watch");
    }

    private static bool IsOver(FleetRolloutInfo rollout, FleetInfo fleet) => rollout.State switch
    {
        "active" => false,
        "failed" => fleet.Hosts.SelectMany(host => host.Rollouts).Where(one => one.Id == rollout.Id && one.Seq > 0).All(one => one.Decided),
        _ => true,
    };

    private static async Task<int> AskAsync(ParseResult parsed, PlaneClient plane, string what, CancellationToken stop)
    {
        await plane.PostAsync($"/v1/fleet/channels/{Uri.EscapeDataString(parsed.GetValue(Channel)!)}/{what}", stop).ConfigureAwait(false);
        return await RolloutsAsync(parsed, plane, stop).ConfigureAwait(false);
    }

    private static async Task<int> TokenAsync(ParseResult parsed, PlaneClient plane, CancellationToken stop)
    {
        var text = parsed.GetValue(Life)!;
        var life = Durations.Parse(text) ?? throw new CommandFailure(ExitCodes.Usage, $"--for {text}: give it as a duration such as 24h");
        var token = await plane.PostAsync(
            "/v1/fleet/tokens", new TokenRequest(parsed.GetValue(Host)!, (long)life.TotalMilliseconds),
            PlaneRequests.Default.TokenRequest, PlaneAnswers.Default.TokenAnswer, stop).ConfigureAwait(false);
        if (Invocation.WantsJson(parsed))
        {
            Invocation.Say(JsonSerializer.Serialize(token, PlaneAnswers.Default.TokenAnswer));
            return ExitCodes.Done;
        }

        // The token alone on standard output, so that it can be piped to where it belongs.
        Invocation.Say(token.Token);
        await Console.Error.WriteLineAsync($"for {token.Host}, once, until {token.ExpiresAt}: agent enroll --plane {plane.Plane} --token-file -").ConfigureAwait(false);
        return ExitCodes.Done;
    }

    private static async Task<int> RevokeAsync(ParseResult parsed, PlaneClient plane, CancellationToken stop)
    {
        await plane.PostAsync($"/v1/fleet/hosts/{Uri.EscapeDataString(parsed.GetValue(Host)!)}/revoke", stop).ConfigureAwait(false);
        Invocation.Say($"{parsed.GetValue(Host)} is shut out; a new token lets it in again");
        return ExitCodes.Done;
    }

    private static async Task<int> EventsAsync(ParseResult parsed, PlaneClient plane, CancellationToken stop)
    {
        var path = parsed.GetValue(Follow) ? "/v1/events?follow=true" : "/v1/events";
        await foreach (var line in plane.LinesAsync(path, stop).ConfigureAwait(false)) Invocation.Say(line);
        return ExitCodes.Done;
    }

    private static async Task<FleetInfo> FleetAsync(PlaneClient plane, CancellationToken stop) =>
        (await plane.GetAsync(
            Protocol.Fleet, PlaneAnswers.Default.FleetInfo, MostOfAFleet, TimeSpan.FromMinutes(1), stop).ConfigureAwait(false))!;

    private static FleetRolloutInfo Meant(FleetInfo fleet, string name) =>
        fleet.Rollouts.FirstOrDefault(one => one.Id == name)
        ?? fleet.Rollouts.FirstOrDefault(one => one.Channel == name && one.Newest)
        ?? fleet.Rollouts.FirstOrDefault(one => one.Id.StartsWith(name, StringComparison.Ordinal)
            || one.Id[(one.Channel.Length + 1)..].StartsWith(name, StringComparison.Ordinal))
        ?? throw new CommandFailure(ExitCodes.NotFound, $"no rollout {name}; `agent fleet rollouts` lists them");

    private static SignedInfo Signed(string path, int cap) =>
        new(SignedFile.Read(path, cap), SignedFile.Read(path + SignedFile.Suffix, SignatureFile.MaxBytes));
}
