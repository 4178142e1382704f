using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Core.Host;
using Agent.Core.Model;
using LanguageExt;
using Microsoft.AspNetCore.Http;

namespace Agent.Shell.Api;

/// <summary>
/// The containers of this host: what is declared, what there is, and what is asked of them. None of these calls waits for
/// the engine; what they lead to is seen by asking again.
/// </summary>
internal sealed class ContainerCalls(ApiParts parts)
{
    public Task<Answer> ListAsync(Call call) => Task.FromResult(All(StatusCodes.Status200OK));

    public Task<Answer> ReconcileAsync(Call call) => AskAsync(call, new ContainersEvent.ReconcileRequested());

    public async Task<Answer> UpAsync(Call call)
    {
        var (request, refused) = await call.ReadAsync(WireJson.Default.UpRequest);
        if (request is null) return refused!;
        return Uids(request.Uids, out var uids) is { } invalid
            ? invalid
            : await AskAsync(call, new ContainersEvent.UpRequested(uids, request.RemoveOrphans));
    }

    public async Task<Answer> DownAsync(Call call)
    {
        var (request, refused) = await call.ReadAsync(WireJson.Default.DownRequest);
        if (request is null) return refused!;
        return Uids(request.Uids, out var uids) is { } invalid
            ? invalid
            : await AskAsync(call, new ContainersEvent.DownRequested(uids));
    }

    public Task<Answer> StartAsync(Call call) => OneAsync(call, new ContainerEvent.StartRequested());

    public Task<Answer> StopAsync(Call call) => OneAsync(call, new ContainerEvent.StopRequested());

    private async Task<Answer> OneAsync(Call call, ContainerEvent @event)
    {
        if (!ContainerUid.Parse(call.Value("uid")).TryGet(out var uid)) return NoSuch(call);
        var answer = await AskAsync(call, new ContainersEvent.One(uid, @event));
        if (answer is Answer.Refused) return answer;
        var containers = parts.Host.Current.State.Containers;
        return containers.Find(uid).TryGet(out var state)
            ? Answer.Json(
                MappingContainer.Of(containers, state, parts.Host.Now), WireJson.Default.ContainerInfo,
                StatusCodes.Status202Accepted)
            : NoSuch(call);
    }

    /// <summary>The containers are the host's, so what becomes of them is root's.</summary>
    private async Task<Answer> AskAsync(Call call, ContainersEvent @event)
    {
        if (!call.Principal.IsRoot) return Answer.Refuse(ErrorNames.NotAllowed, "only root may change what runs in containers");
        var decision = await parts.Host.AskAsync(new HostEvent.ContainersRequested(call.Principal, @event), call.Stop);
        return decision.Refusal is { } refusal ? Answer.Refuse(refusal) : All(StatusCodes.Status202Accepted);
    }

    private Answer All(int status) => Answer.Json(
        MappingContainer.Of(parts.Host.Current.State.Containers, parts.Engine(), parts.Host.Now),
        WireJson.Default.ContainersInfo, status);

    private static Answer? Uids(IReadOnlyList<string?>? texts, out Seq<ContainerUid> uids)
    {
        uids = Seq<ContainerUid>.Empty;
        foreach (var text in texts ?? [])
        {
            if (!ContainerUid.Parse(text ?? "").TryGet(out var uid)) return Answer.Invalid("uids", $"\"{text}\" is no container's uid");
            uids = uids.Add(uid);
        }

        return null;
    }

    private static Answer NoSuch(Call call) => Answer.Refuse(ErrorNames.NoSuchContainer, $"no container {call.Value("uid")}");
}
