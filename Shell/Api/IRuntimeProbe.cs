using System.Threading;
using System.Threading.Tasks;

namespace Agent.Shell.Api;

/// <summary>One look at the engine for a caller who does not want it started. It changes nothing.</summary>
internal interface IRuntimeProbe
{
    /// <summary>Whether the engine answers, where, and in words what was seen. Bounded in time by itself.</summary>
    Task<(bool Ready, string Endpoint, string Detail)> ProbeAsync(CancellationToken stop);
}
