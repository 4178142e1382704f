using System.Threading.Tasks;
using Agent.Core.Companion;
using Agent.Core.Host;
using Agent.Core.Model;
using LanguageExt;
using Microsoft.AspNetCore.Http;

namespace Agent.Shell.Api;

/// <summary>
/// The units that this agent writes and keeps. None of these calls waits for systemd; what they lead to is seen by asking
/// again.
/// </summary>
internal sealed class CompanionCalls(ApiParts parts)
{
    public Task<Answer> ListAsync(Call call) => Task.FromResult(All(StatusCodes.Status200OK));

    public Task<Answer> ReconcileAsync(Call call) => AskAsync(call, new CompanionsEvent.ReconcileRequested());

    public async Task<Answer> RetryAsync(Call call) => CompanionName.Parse(call.Value("name")).TryGet(out var name)
        ? await AskAsync(call, new CompanionsEvent.One(name, new CompanionEvent.RetryRequested()))
        : Answer.Refuse(ErrorNames.NoSuchCompanion, $"no companion {call.Value("name")}");

    /// <summary>The units are the host's, so what becomes of them is root's.</summary>
    private async Task<Answer> AskAsync(Call call, CompanionsEvent @event)
    {
        if (!call.Principal.IsRoot) return Answer.Refuse(ErrorNames.NotAllowed, "only root may change what becomes of units");
        var decision = await parts.Host.AskAsync(new HostEvent.CompanionsRequested(call.Principal, @event), call.Stop);
        return decision.Refusal is { } refusal ? Answer.Refuse(refusal) : All(StatusCodes.Status202Accepted);
    }

    private Answer All(int status) => Answer.Json(
        MappingCompanion.Of(parts.Host.Current.State.Companions, parts.Units(), parts.Host.Now),
        WireJson.Default.CompanionsInfo, status);
}
