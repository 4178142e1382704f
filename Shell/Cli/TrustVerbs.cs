using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Time;
using Agent.Shell.Config;
using Agent.Shell.Loop;
using Agent.Shell.Manifests;
using Agent.Shell.Trust;

namespace Agent.Shell.Cli;

/// <summary>`agent trust …`: the keys that hosts believe, made, shown, rotated and put on a host. Offline.</summary>
internal static class TrustVerbs
{
    private const string File = "trust.json";

    private static readonly Argument<string> Folder = new("DIR") { Description = "A folder for the trust file and the private keys" };
    private static readonly Option<string> Algorithm = new("--algorithm") { Description = "ed25519 or ecdsa-p256", HelpName = "NAME", DefaultValueFactory = _ => "ed25519" };
    private static readonly Argument<string> Trust = new("FILE")
    {
        Description = "A trust file", DefaultValueFactory = _ => RolloutSettings.DefaultTrust,
    };

    private static readonly Argument<string> Current = new("FILE") { Description = "The trust file to follow; it is replaced by the next version" };
    private static readonly Option<string> Role = new("--role") { Description = "root, release, manifest or evidence", HelpName = "ROLE", Required = true };
    private static readonly Option<int> Slot = new("--slot") { Description = "Which signer of the role, from 0", HelpName = "N" };
    private static readonly Option<string?> Successor = new("--successor") { Description = "First step: the new key, beside the one in use", HelpName = "PEM" };
    private static readonly Option<bool> Promote = new("--promote") { Description = "Second step: the successor becomes the key in use" };
    private static readonly Option<string> Grace = new("--grace") { Description = "How long both keys count", HelpName = "30d", DefaultValueFactory = _ => "30d" };
    private static readonly Option<string[]> Keys = new("--key")
    {
        Description = "A root key to sign the next version with; repeat for a threshold", HelpName = "FILE", Required = true,
    };

    private static readonly Argument<string> NextFile = new("NEXT") { Description = "The next version, its signatures beside it" };
    private static readonly Option<string> Installed = new("--trust")
    {
        Description = "The trust file that it follows", HelpName = "FILE", DefaultValueFactory = _ => RolloutSettings.DefaultTrust,
    };

    public static Command Tree() => Invocation.Group(
        "trust", "The keys that hosts believe", "agent trust init ./trust",
        Invocation.Local(
            "init", "Make the keys of all roles and the first trust file", "agent trust init ./trust",
            (p, s) => SignVerbs.GuardedAsync(() => Init(p)), Folder, Algorithm),
        Invocation.Local(
            "show", "Which keys count for what, and until when", "agent trust show trust.json",
            (p, s) => SignVerbs.GuardedAsync(() => Show(p)), Trust),
        Invocation.Local(
            "rotate", "Write the next version with one key exchanged, in two steps without downtime",
            "agent trust rotate trust.json --role manifest --successor new.pem --key root.pem",
            (p, s) => SignVerbs.GuardedAsync(() => Rotate(p)), Current, Role, Slot, Successor, Promote, Grace, Keys),
        Invocation.Local(
            "update", "Put the next version on this host: signed by the roots of both, exactly one version on",
            "agent trust update next/trust.json", (p, s) => SignVerbs.GuardedAsync(() => Update(p)), NextFile, Installed));

    private static Task<int> Init(ParseResult parsed)
    {
        var folder = parsed.GetValue(Folder)!;
        var trust = Path.Combine(folder, File);
        if (System.IO.File.Exists(trust)) throw new CommandFailure(ExitCodes.Usage, $"{trust} is there already; use `agent trust rotate` to change keys");
        var algorithm = parsed.GetValue(Algorithm) switch
        {
            "ed25519" => KeyAlgorithm.Ed25519,
            "ecdsa-p256" => KeyAlgorithm.EcdsaP256,
            var other => throw new CommandFailure(ExitCodes.Usage, $"--algorithm {other}: ed25519 or ecdsa-p256"),
        };
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var keys = new Dictionary<RoleName, PublicKey>();
        foreach (var role in (RoleName[])[RoleName.Root, RoleName.Release, RoleName.Manifest, RoleName.Evidence])
        {
            using var key = SigningKey.Generate(algorithm);
            key.Save(KeyPath(folder, role));
            keys.Add(role, key.PublicKey);
        }

        SignedFile.Write(trust, TrustDraft.First(DateTimeOffset.UtcNow, keys));
        Sign(trust, KeyPath(folder, RoleName.Root));
        Invocation.Say(Invocation.WantsJson(parsed)
            ? $$"""{"trust":"{{System.Text.Json.JsonEncodedText.Encode(trust)}}","version":1}"""
            : $"{trust}: version 1; copy it to {RolloutSettings.DefaultTrust} of each host. The private keys beside it belong apart, the root's offline.");
        return Task.FromResult(ExitCodes.Done);
    }

    private static Task<int> Show(ParseResult parsed)
    {
        var path = parsed.GetValue(Trust)!;
        var file = Loaded(path);
        if (Invocation.WantsJson(parsed))
        {
            Invocation.Say(System.Text.Encoding.UTF8.GetString(SignedFile.Read(path, TrustFile.MaxBytes)));
            return Task.FromResult(ExitCodes.Done);
        }

        Invocation.Say($"{path}: version {file.Version}, issued {file.IssuedAt}, manifests count for {Durations.Show(file.Freshness)}"
            + (file.RejectBefore is { } before ? $", nothing signed before {before}" : ""));
        var now = WallClock.Read();
        var rows = new List<IReadOnlyList<string>>();
        foreach (var role in Enum.GetValues<RoleName>().Select(file.Role).OfType<TrustRole>())
        {
            foreach (var (slot, place) in role.Slots.Select((slot, place) => (slot, place)))
            {
                foreach (var (name, key) in ((string, PublicKey?)[])[("current", slot.Current), ("previous", slot.Previous), ("successor", slot.Successor)])
                {
                    if (key is null) continue;
                    var counts = slot.ActiveAt(now).Contains(key) ? Screen.Green("counts") : Screen.Yellow("over");
                    rows.Add([
                        $"{TrustFile.NameOf(role.Name)} ({role.Threshold} of {role.Slots.Count})", Screen.Number(place), name, key.AlgorithmName, key.KeyId[..16], counts,
                        slot.RetireAt?.ToString() ?? "-",
                    ]);
                }
            }
        }

        Invocation.Say(Screen.Table(["ROLE", "SLOT", "KEY", "ALGORITHM", "ID", "NOW", "BOTH UNTIL"], rows));
        return Task.FromResult(ExitCodes.Done);
    }

    private static Task<int> Rotate(ParseResult parsed)
    {
        var path = parsed.GetValue(Current)!;
        var file = Loaded(path);
        var name = parsed.GetValue(Role)!;
        var role = Enum.GetValues<RoleName>().Select(file.Role).OfType<TrustRole>()
            .FirstOrDefault(one => TrustFile.NameOf(one.Name) == name)
            ?? throw new CommandFailure(ExitCodes.Usage, $"--role {name}: the trust file has no such role");
        var place = parsed.GetValue(Slot);
        if (place < 0 || place >= role.Slots.Count) throw new CommandFailure(ExitCodes.Usage, $"--slot {place}: {name} has {role.Slots.Count}, from 0");
        var grace = Durations.Parse(parsed.GetValue(Grace)!) ?? throw new CommandFailure(ExitCodes.Usage, "--grace is a duration such as 30d");
        var old = role.Slots[place];
        var until = WallClock.Read() + grace;
        var changed = (parsed.GetValue(Successor), parsed.GetValue(Promote)) switch
        {
            ({ } pem, false) => old with { Previous = null, Successor = PublicOf(pem), RetireAt = until },
            (null, true) when old.Successor is { } next => new TrustSlot(next, old.Current, null, until),
            (null, true) => throw new CommandFailure(ExitCodes.Usage, $"slot {place} of {name} has no successor; give one with --successor first"),
            _ => throw new CommandFailure(ExitCodes.Usage, "give --successor PEM for the first step or --promote for the second"),
        };
        RequireRoots(parsed.GetValue(Keys)!, file, role.Name == RoleName.Root ? changed : null);
        SignedFile.Write(path, TrustDraft.Next(file, DateTimeOffset.UtcNow, role.Name, place, changed));
        foreach (var key in parsed.GetValue(Keys)!) Sign(path, key);
        Invocation.Say(Invocation.WantsJson(parsed)
            ? string.Create(CultureInfo.InvariantCulture, $$"""{"version":{{file.Version + 1}}}""")
            : $"{path}: version {file.Version + 1}; bring it to the hosts with `agent trust update`");
        return Task.FromResult(ExitCodes.Done);
    }

    private static Task<int> Update(ParseResult parsed)
    {
        var (next, path) = (parsed.GetValue(NextFile)!, parsed.GetValue(Installed)!);
        var bytes = SignedFile.Read(next, TrustFile.MaxBytes);
        var signatures = SignedFile.Read(next + SignedFile.Suffix, SignatureFile.MaxBytes);
        if (TrustUpdate.Check(Loaded(path), bytes, signatures).Failed(out var file, out var why))
        {
            throw new CommandFailure($"{next}: {why}");
        }

        SignedFile.Install(path, bytes, signatures);
        Invocation.Say(Invocation.WantsJson(parsed)
            ? string.Create(CultureInfo.InvariantCulture, $$"""{"version":{{file.Version}}}""")
            : $"{path}: version {file.Version}, the next manifest is judged by it");
        return Task.FromResult(ExitCodes.Done);
    }

    private static string KeyPath(string folder, RoleName role) => Path.Combine(folder, TrustFile.NameOf(role) + ".pem");

    private static TrustFile Loaded(string path) => VerifiedBundle.Trust(path).Failed(out var file, out var why)
        ? throw new CommandFailure(ExitCodes.Usage, $"{path}: {why}")
        : file;

    private static PublicKey PublicOf(string pem)
    {
        if (SigningKey.Load(pem).Failed(out var key, out var why)) throw new CommandFailure(ExitCodes.Usage, why.ToString());
        using (key) return key.PublicKey;
    }

    /// <summary>Before anything is written: a next version that no root signed would stand where a good one stood.</summary>
    private static void RequireRoots(IEnumerable<string> pems, TrustFile file, TrustSlot? changed)
    {
        var roots = file.Root.Slots.Append(changed).OfType<TrustSlot>().SelectMany(slot => slot.ForNextFile).ToList();
        foreach (var pem in pems)
        {
            if (!roots.Contains(PublicOf(pem))) throw new CommandFailure(ExitCodes.Usage, $"--key {pem}: it is no root key of this trust file");
        }
    }

    private static void Sign(string path, string pem)
    {
        if (SigningKey.Load(pem).Failed(out var key, out var why)) throw new CommandFailure(ExitCodes.Usage, why.ToString());
        using (key)
        {
            if (SignedFile.Sign(path, key, TrustFile.MaxBytes) is { } refusal) throw new CommandFailure(ExitCodes.Usage, $"{path}: {refusal}");
        }
    }
}
