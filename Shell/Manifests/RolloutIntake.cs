using System;
using System.IO;
using System.Security.Cryptography;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Rollout;
using Agent.Shell.Activators.Releases;
using Agent.Shell.Config;
using Agent.Shell.Linux;
using Agent.Shell.Loop;
using Agent.Shell.Probes;
using Agent.Shell.Trust;

namespace Agent.Shell.Manifests;

/// <summary>
/// The way of a manifest into this host: is it known, is it signed, fresh and for this host, is its release signed too
/// and in the store. Only then the core hears of it, and decides. The trust file is read each time, so that a new one
/// holds at once.
/// </summary>
internal sealed class RolloutIntake(IHost host, ReleaseStore store, Func<RolloutSettings> settings, WallClock wall)
    : IRolloutIntake, IDisposable
{
    private readonly ProgramRule _programs = new(store, settings);

    // One archive at a time: two would compete for the disk that each was found to fit on.
    private readonly SemaphoreSlim _one = new(1, 1);

    public async Task<IntakeResult> TakeAsync(Bundle bundle, Principal by, CancellationToken stop)
    {
        try
        {
            if (Known(bundle.Manifest) is { } known) return new IntakeResult.Known(known);
            if (Verify(bundle).Failed(out var verified, out var refusal)) return Refused(refusal);
            if (bundle.Release is null && Kept(verified.Order) is var (descriptor, signatures))
            {
                bundle = bundle with { Release = descriptor, ReleaseSignatures = signatures };
                if (Verify(bundle).Failed(out verified, out refusal)) return Refused(refusal);
            }

            if (_programs.Fault(verified.Order) is { } outside) return new IntakeResult.Refused(ProgramRule.Code, outside);
            if (await ImportAsync(bundle, verified, stop) is { } problem) return problem;
            var id = verified.Order.Id;
            var decision = await host.AskAsync(new HostEvent.RolloutOrdered(by, verified.Order), stop);
            return decision.Refusal switch
            {
                null => new IntakeResult.Taken(id),
                { Code: ErrorCode.Known } => new IntakeResult.Known(id),
                { } why => new IntakeResult.Refused(Api.ErrorNames.Of(why.Code).Code, why.Reason),
            };
        }
        catch (ReleaseRefused refused)
        {
            return new IntakeResult.Refused(refused.Code, refused.Message);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or FileFailure)
        {
            return new IntakeResult.Refused("disk", failure.Message);
        }
    }

    public void Dispose() => _one.Dispose();

    private static IntakeResult.Refused Refused(Trust.Refusal why) => new(TrustFaults.NameOf(why.Fault), why.Detail);

    /// <summary>
    /// The signed descriptor that the release in the store came with: a signer who is not trusted today vouches for
    /// nothing, whether the archive has to be brought again or not.
    /// </summary>
    private (ReadOnlyMemory<byte> Descriptor, ReadOnlyMemory<byte> Signatures)? Kept(RolloutOrder order) =>
        order.Activator == ActivatorKind.Release ? store.Signed(DigestOf(order)) : null;

    private static string DigestOf(RolloutOrder order) => order.Target.Value[ReleaseId.ArchivePrefix.Length..];

    /// <summary>These very bytes were accepted before: whoever asks again is shown what became of them.</summary>
    private RolloutId? Known(ReadOnlyMemory<byte> manifest)
    {
        var reference = ManifestReader.RefOf(Convert.ToHexStringLower(SHA256.HashData(manifest.Span)));
        foreach (var id in host.Current.State.Rollouts.All.Keys)
        {
            if (id.Ref == reference) return id;
        }

        return null;
    }

    private Checked<VerifiedBundle> Verify(Bundle bundle)
    {
        var own = settings();
        return VerifiedBundle.Trust(own.Trust).Failed(out var trust, out var why)
            ? why
            : VerifiedBundle.Check(bundle, trust, own, Floor, wall.Now);
    }

    private long? Floor(ChannelName channel) =>
        host.Current.State.Rollouts.Floor(channel).TryGet(out var version) ? version : null;

    private async Task<IntakeResult.Refused?> ImportAsync(Bundle bundle, VerifiedBundle verified, CancellationToken stop)
    {
        if (verified.Order.Activator != ActivatorKind.Release) return null;
        var sha256 = DigestOf(verified.Order);
        var isThere = Directory.Exists(store.PathOf(sha256)) && store.Verify(sha256, stop) is null;
        if (isThere && verified.Release is null)
        {
            return new(ReleaseCode.Unsigned, $"{verified.Order.Target} is in the store without its signed descriptor; apply it with --release ARCHIVE");
        }

        if (verified.Release is not { } release || (!isThere && bundle.Archive is null && bundle.Fetch is null))
        {
            return new(ReleaseCode.Missing, $"{verified.Order.Target} is not in the store of this host; apply it with --release ARCHIVE");
        }

        if (!isThere && await FetchAsync(bundle, sha256, release.Length, stop) is { } problem) return problem;
        await AloneAsync(
            () =>
            {
                store.KeepSigned(sha256, bundle.Release!.Value.Span, bundle.ReleaseSignatures!.Value.Span);
                return Task.CompletedTask;
            },
            stop);
        return null;
    }

    private async Task<IntakeResult.Refused?> FetchAsync(Bundle bundle, string sha256, long length, CancellationToken stop)
    {
        if (bundle.Archive is { } archive)
        {
            if (!Path.IsPathFullyQualified(archive)) return new("invalid-input", "archive must be an absolute path");
            await AloneAsync(() => store.ImportAsync(archive, sha256, length, stop), stop);
            return null;
        }

        // Nobody else waits for it: a plane that sends slowly must not keep the operator of this host from applying.
        store.Expect(length);
        var fetched = await bundle.Fetch!(sha256, length, stop);
        try
        {
            await AloneAsync(() => store.ImportAsync(fetched, sha256, length, stop), stop);
        }
        finally
        {
            File.Delete(fetched);
        }

        return null;
    }

    private async Task AloneAsync(Func<Task> work, CancellationToken stop)
    {
        await _one.WaitAsync(stop);
        try
        {
            await work();
        }
        finally
        {
            _one.Release();
        }
    }
}
