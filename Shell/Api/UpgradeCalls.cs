using System;
using System.IO;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;

namespace Agent.Shell.Api;

/// <summary>The agent's upgrade.</summary>
internal sealed class UpgradeCalls(ApiParts parts)
{
    /// <summary>What a host with a full journal takes is a tenth of it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LongestPatience = TimeSpan.FromMinutes(10);

    /// <summary>Answered before the program is exchanged; whether it holds is in the status afterwards.</summary>
    public async Task<Answer> BeginAsync(Call call)
    {
        if (!call.Principal.IsRoot) return Answer.Refuse(ErrorNames.NotAllowed, "only root may, it is about the whole host");
        var (request, refused) = await call.ReadAsync(WireJson.Default.UpgradeRequest);
        if (request is null) return refused!;
        if (request.Program is { } path && !Path.IsPathRooted(path)) return Answer.Invalid("program", "program must be an absolute path");
        var patience = request.TimeoutMs is { } ms ? TimeSpan.FromMilliseconds(ms) : Patience;
        if (patience <= TimeSpan.Zero || patience > LongestPatience)
        {
            return Answer.Invalid("timeoutMs", $"timeoutMs must be between 1 and {LongestPatience.TotalMilliseconds}");
        }

        var (answer, refusal) = await parts.Upgrade.PrepareAsync(request.Program, patience, call.Stop);
        if (refusal is not null) return Answer.Refuse(refusal.IsBusy ? ErrorNames.Busy : ErrorNames.UpgradeRefused, refusal.Why);
        call.Http.Response.OnCompleted(() =>
        {
            parts.Upgrade.Begin();
            return Task.CompletedTask;
        });
        return Answer.Json(answer!, WireJson.Default.UpgradeAnswer, StatusCodes.Status202Accepted);
    }
}
