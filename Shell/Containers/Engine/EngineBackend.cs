using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Http;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Core.Model;
using Agent.Shell.Linux;

namespace Agent.Shell.Containers.Engine;

/// <summary>
/// The Docker Engine API over its Unix socket; Podman's socket answers the same calls. A container is found by its
/// labels at each call, so that one which took its name or its place is never touched.
/// </summary>
internal sealed partial class EngineBackend : IContainerBackend
{
    private readonly ContainerLabels _names;
    private readonly EngineLimits _limits;
    private readonly EngineHttp _http;
    private readonly EngineNetwork _network;
    private readonly EngineImages _images;
    private readonly LocalContainers _local;
    private volatile ApiVersion? _spoken;

    /// <param name="socket">The path of the engine's socket.</param>
    /// <param name="isIn">Whether this process is in the control group of the container with this id.</param>
    public EngineBackend(
        string socket, ContainerLabels names, EngineLimits? limits = null, Func<int, string, bool>? isIn = null)
    {
        _names = names;
        _limits = limits ?? new EngineLimits();
        _http = new EngineHttp(socket);
        _network = new EngineNetwork(_http, names, _limits);
        _images = new EngineImages(_http, _limits);
        _local = new LocalContainers(isIn ?? Processes.IsInGroupOf);
    }

    public async Task<EngineVersion> VersionAsync(CancellationToken stop)
    {
        using var answer = await _http.JsonAsync(
            HttpMethod.Get, "/version", null, _limits.Look, EngineLimits.AnswerBytes, stop).ConfigureAwait(false);
        var told = answer.RootElement;
        var spoken = ApiVersion.Negotiate(told.Text("ApiVersion"), told.Text("MinAPIVersion"));
        _spoken = spoken;
        var part = told.Member("Components").Items().Select(one => one.Text("Name")).FirstOrDefault();

        // Docker calls its own part by no more than that.
        return new(part is null or "Engine" ? "Docker Engine" : part, told.Text("Version") ?? "", spoken.Text);
    }

    public async Task<IReadOnlyList<ObservedContainer>> ListAsync(CancellationToken stop)
    {
        // Anew with each pass: another build of the engine may have taken its place.
        await VersionAsync(stop).ConfigureAwait(false);
        var rows = await RowsAsync(null, stop).ConfigureAwait(false);
        using var few = new SemaphoreSlim(EngineLimits.Inspects);
        var accounts = await Task.WhenAll(rows.Select(row => AccountAsync(row.Id, few, stop))).ConfigureAwait(false);
        var listed = rows.Select((row, i) => (Row: row, Account: accounts[i])).ToArray();
        var isLocal = _http.SharesProcessIds && _local.Look(listed);
        var observed = await Task.WhenAll(listed.Select(one => isLocal && one.Account is { IsWithoutProcess: true } account
            ? ConfirmAsync(one.Row, account, few, stop)
            : Task.FromResult(Observed(one.Row, one.Account)))).ConfigureAwait(false);
        return [.. observed.OfType<ObservedContainer>()];
    }

    public async Task<string> CreateAsync(ContainerDefinition definition, string digest, CancellationToken stop)
    {
        var version = await SpokenAsync(stop).ConfigureAwait(false);
        var image = await _images.IdAsync(version, definition.Image, stop).ConfigureAwait(false)
            ?? throw new ContainerException(ContainerFault.NotFound, $"the engine has no image {definition.Image}");
        await _images.RequireVolumesAsync(version, definition.Mounts, stop).ConfigureAwait(false);
        return definition.NetworkMode is null
            ? await _network.UseAsync(version, () => MakeAsync(version, definition, digest, image, stop), stop).ConfigureAwait(false)
            : await MakeAsync(version, definition, digest, image, stop).ConfigureAwait(false);
    }

    public async Task StartAsync(ContainerUid uid, CancellationToken stop)
    {
        var at = await PathAsync(uid, stop).ConfigureAwait(false);
        await _http.DoAsync(HttpMethod.Post, $"{at}/start", _limits.Act, stop).ConfigureAwait(false);
    }

    public async Task StopAsync(ContainerUid uid, TimeSpan grace, CancellationToken stop)
    {
        var version = await SpokenAsync(stop).ConfigureAwait(false);
        var id = (await RowAsync(uid, stop).ConfigureAwait(false)).Id;
        var path = FormattableString.Invariant($"{version}/containers/{id}/stop?t={(long)Math.Ceiling(grace.TotalSeconds)}");
        var limit = grace + _limits.AfterGrace;
        try
        {
            await _http.DoAsync(HttpMethod.Post, path, limit, stop).ConfigureAwait(false);
        }
        catch (ContainerException refusal)
            when (refusal.Fault is ContainerFault.Failed or ContainerFault.Conflict or ContainerFault.Refused)
        {
            // Podman stops none that is paused; Docker does it all at once.
            var account = await InspectAsync(version, id, stop).ConfigureAwait(false);
            if (account?.Status is not ContainerStatus.Paused) throw;
            await _http.DoAsync(HttpMethod.Post, $"{version}/containers/{id}/unpause", _limits.Act, stop).ConfigureAwait(false);
            await _http.DoAsync(HttpMethod.Post, path, limit, stop).ConfigureAwait(false);
        }
    }

    public async Task RemoveAsync(ContainerUid uid, CancellationToken stop)
    {
        var version = await SpokenAsync(stop).ConfigureAwait(false);
        foreach (var row in await RowsAsync(uid, stop).ConfigureAwait(false))
        {
            await RemoveAsync(version, row.Id, stop).ConfigureAwait(false);
        }

        await _network.LeaveAsync(version, () => IsLastAsync(version, stop), stop).ConfigureAwait(false);
    }

    public async Task<ContainerStats> StatsAsync(ContainerUid uid, CancellationToken stop)
    {
        var at = await PathAsync(uid, stop).ConfigureAwait(false);
        using var answer = await _http.JsonAsync(
            HttpMethod.Get, $"{at}/stats?stream=false&one-shot=true", null, _limits.Look, EngineLimits.AnswerBytes, stop)
            .ConfigureAwait(false);
        return EngineStats.Read(answer.RootElement);
    }

    public void Dispose()
    {
        _http.Dispose();
        _network.Dispose();
    }

    private async Task<string> MakeAsync(
        ApiVersion version, ContainerDefinition definition, string digest, string image, CancellationToken stop)
    {
        var id = await CreateAsync(version, definition, digest, image, stop).ConfigureAwait(false);
        var account = await InspectAsync(version, id, stop).ConfigureAwait(false);
        if (account is null || EngineImages.IsSame(account.ImageId, image)) return id;

        // This engine calls the image otherwise there than here, so the mark could prove nothing.
        await RemoveAsync(version, id, stop).ConfigureAwait(false);
        return await CreateAsync(version, definition, digest, null, stop).ConfigureAwait(false);
    }

    private async Task<string> CreateAsync(
        ApiVersion version, ContainerDefinition definition, string digest, string? image, CancellationToken stop)
    {
        var marks = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [ContainerLabels.InstanceKey] = _names.Instance,
            [ContainerLabels.UidKey] = definition.Uid.Value,
            [ContainerLabels.SpecKey] = digest,
        };
        if (image is not null) marks[ContainerLabels.ImageKey] = image;
        using var answer = await AskToCreateAsync(version, definition, marks, stop).ConfigureAwait(false);
        if (answer.RootElement.Text("Id") is not { } id || !EngineRow.IsId(id))
        {
            throw new ContainerException(ContainerFault.Garbage, "the engine does not tell the new container's id");
        }

        // A limit that this kernel cannot hold is refused, not passed over.
        var discarded = answer.RootElement.Member("Warnings").Items()
            .Select(one => one.Text()).OfType<string>()
            .FirstOrDefault(one => one.Contains("discarded", StringComparison.OrdinalIgnoreCase));
        if (discarded is null) return id;
        await RemoveAsync(version, id, stop).ConfigureAwait(false);
        throw new ContainerException(ContainerFault.Refused, EngineError.Cut(discarded));
    }

    private async Task<JsonDocument> AskToCreateAsync(
        ApiVersion version, ContainerDefinition definition, Dictionary<string, string> marks, CancellationToken stop)
    {
        using var body = CreateBody.Of(definition, _names, marks);
        var path = $"{version}/containers/create?name={_names.NameOf(definition.Uid)}";
        try
        {
            return await _http.JsonAsync(HttpMethod.Post, path, body, _limits.Act, EngineLimits.AnswerBytes, stop)
                .ConfigureAwait(false);
        }
        catch (ContainerException taken) when (taken.Message.Contains("already in use", StringComparison.Ordinal))
        {
            // Podman calls it a failure of its own.
            throw new ContainerException(ContainerFault.Conflict, taken.Message, taken);
        }
    }

    private async Task RemoveAsync(ApiVersion version, string id, CancellationToken stop)
    {
        try
        {
            // A nameless volume is found by nobody but its container.
            var path = $"{version}/containers/{id}?force=true&v=true";
            await _http.DoAsync(HttpMethod.Delete, path, _limits.Act, stop).ConfigureAwait(false);
        }
        catch (ContainerException gone) when (gone.Fault == ContainerFault.NotFound)
        {
            // Somebody was faster.
        }
    }

    /// <summary>Whether this instance has no container left, running or not.</summary>
    private async Task<bool> IsLastAsync(ApiVersion version, CancellationToken stop)
    {
        var path = $"{version}/containers/json?all=true&limit=1&filters={EngineFilter.Of(_names, null)}";
        using var answer = await _http.JsonAsync(
            HttpMethod.Get, path, null, _limits.Look, EngineLimits.ListBytes, stop).ConfigureAwait(false);
        return answer.RootElement is { ValueKind: JsonValueKind.Array } rows && rows.GetArrayLength() == 0;
    }

    private async ValueTask<ApiVersion> SpokenAsync(CancellationToken stop)
    {
        if (_spoken is { } known) return known;
        await VersionAsync(stop).ConfigureAwait(false);
        return _spoken!;
    }

    private async Task<string> PathAsync(ContainerUid uid, CancellationToken stop)
    {
        var version = await SpokenAsync(stop).ConfigureAwait(false);
        return $"{version}/containers/{(await RowAsync(uid, stop).ConfigureAwait(false)).Id}";
    }

    private async Task<EngineRow> RowAsync(ContainerUid uid, CancellationToken stop)
    {
        var rows = await RowsAsync(uid, stop).ConfigureAwait(false);
        return rows.Count > 0
            ? rows[0]
            : throw new ContainerException(ContainerFault.NotFound, $"the engine has no container of this agent called {uid}");
    }

    /// <summary>Each uid once: where two bear it, the one that bears the name as well.</summary>
    private async Task<IReadOnlyList<EngineRow>> RowsAsync(ContainerUid? uid, CancellationToken stop)
    {
        var version = await SpokenAsync(stop).ConfigureAwait(false);
        var path = $"{version}/containers/json?all=true&filters={EngineFilter.Of(_names, uid)}";
        using var answer = await _http.JsonAsync(
            HttpMethod.Get, path, null, _limits.Look, EngineLimits.ListBytes, stop).ConfigureAwait(false);
        if (answer.RootElement.ValueKind != JsonValueKind.Array)
        {
            throw new ContainerException(ContainerFault.Garbage, "the engine's list is no list");
        }

        if (answer.RootElement.GetArrayLength() > EngineLimits.Rows)
        {
            throw new ContainerException(ContainerFault.Garbage, $"the engine's list has more than {EngineLimits.Rows} containers");
        }

        return
        [
            .. answer.RootElement.EnumerateArray().Select(row => EngineRow.Read(row, _names)).OfType<EngineRow>()
                .Where(row => uid is null || row.Uid.Value == uid.Value)
                .GroupBy(row => row.Uid.Value, StringComparer.Ordinal).OrderBy(same => same.Key, StringComparer.Ordinal)
                .Select(same => same.FirstOrDefault(row => row.HasItsName) ?? same.First()),
        ];
    }

    private static ObservedContainer? Observed(EngineRow row, EngineAccount? account) =>
        account is null ? null : new(row.Uid, row.Id, row.Digest, account.Status, account.Health);

    /// <summary>That its process is missing is only believed when it stays so.</summary>
    private async Task<ObservedContainer?> ConfirmAsync(
        EngineRow row, EngineAccount first, SemaphoreSlim few, CancellationToken stop)
    {
        await Task.Delay(_limits.ExitNotice, stop).ConfigureAwait(false);
        var again = await AccountAsync(row.Id, few, stop).ConfigureAwait(false);
        return Observed(row, again is { IsWithoutProcess: true } && again.Pid == first.Pid
            ? again with { Status = new ContainerStatus.Running(PidAlive: false) }
            : again);
    }

    /// <summary>Null for one that is gone.</summary>
    private async Task<EngineAccount?> AccountAsync(string id, SemaphoreSlim few, CancellationToken stop)
    {
        await few.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            return await InspectAsync(await SpokenAsync(stop).ConfigureAwait(false), id, stop).ConfigureAwait(false);
        }
        catch (ContainerException failure)
        {
            return EngineAccount.Unknown(failure.Message);
        }
        finally
        {
            few.Release();
        }
    }

    private async Task<EngineAccount?> InspectAsync(ApiVersion version, string id, CancellationToken stop)
    {
        try
        {
            using var answer = await _http.JsonAsync(
                HttpMethod.Get, $"{version}/containers/{id}/json", null, _limits.Inspect, EngineLimits.AnswerBytes, stop)
                .ConfigureAwait(false);
            return EngineAccount.Read(answer.RootElement);
        }
        catch (ContainerException gone) when (gone.Fault == ContainerFault.NotFound)
        {
            return null;
        }
    }
}
