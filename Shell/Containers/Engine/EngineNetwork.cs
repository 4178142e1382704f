using System;
using System.Buffers;
using System.Net.Http;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Observability;

namespace Agent.Shell.Containers.Engine;

/// <summary>
/// The network of one instance, on which its containers find each other by uid. Made when the first container needs
/// it; it goes with the last one.
/// </summary>
internal sealed class EngineNetwork(EngineHttp http, ContainerLabels names, EngineLimits limits) : IDisposable
{
    // Engines let two networks have one name, and tell them apart by id only.
    private readonly SemaphoreSlim _one = new(1);

    // Containers that are being made need it, and no list has them yet.
    private int _users;

    /// <summary>It is there, and stays until <paramref name="make"/> has made what needs it.</summary>
    public async Task<string> UseAsync(ApiVersion version, Func<Task<string>> make, CancellationToken stop)
    {
        await _one.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            if (!await IsThereAsync(version, stop).ConfigureAwait(false)) await MakeAsync(version, stop).ConfigureAwait(false);
            Interlocked.Increment(ref _users);
        }
        finally
        {
            _one.Release();
        }

        try
        {
            return await make().ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _users);
        }
    }

    /// <summary>
    /// A container has gone. Where it was the last one the network goes too, unless somebody else uses it; that it stays
    /// is told and is no failure of the removal.
    /// </summary>
    public async Task LeaveAsync(ApiVersion version, Func<Task<bool>> isLast, CancellationToken stop)
    {
        await _one.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            if (Volatile.Read(ref _users) > 0 || !await isLast().ConfigureAwait(false)) return;
            if (!await IsThereAsync(version, stop).ConfigureAwait(false)) return;
            await http.DoAsync(HttpMethod.Delete, $"{version}/networks/{names.Prefix}", limits.Act, stop).ConfigureAwait(false);
        }
        catch (ContainerException failure)
        {
            Log.Warn("the containers' network stays", ("network", names.Prefix), ("why", failure.Message));
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<bool> IsThereAsync(ApiVersion version, CancellationToken stop)
    {
        try
        {
            using var answer = await http.JsonAsync(
                HttpMethod.Get, $"{version}/networks/{names.Prefix}", null, limits.Look, EngineLimits.AnswerBytes, stop)
                .ConfigureAwait(false);
            return answer.RootElement.Member("Labels").Text(ContainerLabels.InstanceKey) == names.Instance
                ? true
                : throw new ContainerException(ContainerFault.Conflict, $"the network {names.Prefix} is somebody else's");
        }
        catch (ContainerException missing) when (missing.Fault == ContainerFault.NotFound)
        {
            return false;
        }
    }

    private async Task MakeAsync(ApiVersion version, CancellationToken stop)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteString("Name", names.Prefix);
            json.WriteBoolean("CheckDuplicate", true);
            json.WriteString("Driver", "bridge");
            json.WriteStartObject("Labels");
            json.WriteString(ContainerLabels.InstanceKey, names.Instance);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        using var body = new ReadOnlyMemoryContent(text.WrittenMemory);
        body.Headers.ContentType = new("application/json");
        using var answer = await http.JsonAsync(
            HttpMethod.Post, $"{version}/networks/create", body, limits.Act, EngineLimits.AnswerBytes, stop).ConfigureAwait(false);
    }
}
