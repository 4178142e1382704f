using System;
using System.IO;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Runtime;
using Agent.Shell.Loop;
using Microsoft.AspNetCore.Http;
using State = Agent.Core.Runtime.RuntimeState;

namespace Agent.Shell.Api;

/// <summary>The container runtime: ensure it, look at it, follow it, stop it.</summary>
internal sealed class RuntimeCalls(ApiParts parts)
{
    /// <summary>
    /// Never waits for a start. A ready or starting runtime is answered from the published state, so a caller may ask
    /// every few milliseconds; only a start that somebody wants becomes an event.
    /// </summary>
    public async Task<Answer> EnsureAsync(Call call)
    {
        var (request, refused) = await call.ReadAsync(WireJson.Default.EnsureRequest);
        if (request is null) return refused!;
        var state = parts.Host.Current.State.Runtime;
        if (Standing(state) is { } standing) return Answered(standing);
        if (!request.StartIfNeeded) return Answered(await LookAsync(call.Stop));
        var decision = await parts.Host.AskAsync(new HostEvent.Runtime(new RuntimeEvent.EnsureRequested()), call.Stop);
        if (decision.Refusal is { } refusal) return Answer.Refuse(refusal);
        return Answered(Standing(decision.After.State.Runtime) ?? NotReady(decision.After.State.Runtime));
    }

    public Task<Answer> ReadAsync(Call call) =>
        Task.FromResult(Answer.Json(MappingRuntime.Of(parts.Host.Current.State.Runtime), WireJson.Default.RuntimeInfo));

    /// <summary>A line at once, then one for each change, until it is ready or has failed.</summary>
    public Task<Answer> WatchAsync(Call call) => Task.FromResult(Answer.Lines(async (body, stop) =>
    {
        var state = parts.Host.Current.State.Runtime;
        while (true)
        {
            await WriteLineAsync(body, state, stop);
            if (state is State.Ready or State.Failed) return;
            var seen = state;
            var next = await parts.Host.WhenAsync(at => !ReferenceEquals(at.State.Runtime, seen), stop);
            state = next.State.Runtime;
        }
    }));

    /// <summary>The runtime is everybody's, so ending it is root's.</summary>
    public async Task<Answer> StopAsync(Call call)
    {
        if (!call.Principal.IsRoot) return Answer.Refuse(ErrorNames.NotAllowed, "only root may stop the runtime");
        var decision = await parts.Host.AskAsync(new HostEvent.Runtime(new RuntimeEvent.StopRequested()), call.Stop);
        if (decision.Refusal is { } refusal) return Answer.Refuse(refusal);
        var info = MappingRuntime.Of(decision.After.State.Runtime);
        return Answer.Json(info, WireJson.Default.RuntimeInfo, StatusCodes.Status202Accepted);
    }

    private static readonly ReadOnlyMemory<byte> Newline = "\n"u8.ToArray();

    private static EnsureAnswer? Standing(State state) => state switch
    {
        State.Ready ready => new(true, ready.Endpoint, ready.Message, "reused"),
        State.Starting starting => new(
            false, null, $"attempt {starting.History.Attempt} has until {starting.Until}", "starting"),
        State.NotStarted or State.Degraded or State.Failed => null,
    };

    private async Task<EnsureAnswer> LookAsync(CancellationToken stop)
    {
        var (ready, endpoint, detail) = await parts.Probe.ProbeAsync(stop);
        return ready ? new(true, endpoint, detail, "reused") : new(false, null, detail, "failed");
    }

    private static EnsureAnswer NotReady(State state) =>
        new(false, null, MappingRuntime.Of(state).Message ?? "it does not run", "failed");

    private static Answer Answered(EnsureAnswer answer) => Answer.Json(answer, WireJson.Default.EnsureAnswer);

    private static async Task WriteLineAsync(Stream body, State state, CancellationToken stop)
    {
        var line = JsonSerializer.SerializeToUtf8Bytes(MappingRuntime.Of(state), WireJson.Default.RuntimeInfo);
        await body.WriteAsync(line, stop);
        await body.WriteAsync(Newline, stop);
        await body.FlushAsync(stop);
    }
}
