using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;
using Agent.Shell.Cli;

namespace Agent.Shell.Boot;

/// <summary>
/// Where code is compiled as it is first run, the first caller would wait for the compiler, several times longer than
/// an `ensure` may take. The agent is its own first caller instead: two questions that change nothing.
/// </summary>
internal static class WarmUp
{
    public static async Task RunAsync(string socket, CancellationToken stop)
    {
        if (!RuntimeFeature.IsDynamicCodeCompiled) return;
        using var client = new ApiClient(socket);
        try
        {
            await client.GetAsync("/v1/runtime", WireJson.Default.RuntimeInfo, stop).ConfigureAwait(false);
            await client.PostAsync(
                "/v1/runtime/ensure", new EnsureRequest(StartIfNeeded: false), WireJson.Default.EnsureRequest,
                WireJson.Default.EnsureAnswer, stop).ConfigureAwait(false);
        }
        catch (CommandFailure failure)
        {
            // Whoever asks next is told the same; a start does not fail for it.
            Observability.Log.Debug("the warm-up was refused", ("error", failure.Message));
        }
    }
}
