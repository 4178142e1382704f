using Agent.Shell.Loop;

namespace Agent.Shell.Boot;

/// <summary>How `agent run` was called.</summary>
/// <param name="ConfigIsDefault">Nobody named the file, so there need not be one.</param>
/// <param name="StopAll">On its end the agent stops what it supervises instead of leaving it running.</param>
internal sealed record RunOptions(AgentPaths Paths, bool ConfigIsDefault, bool StopAll);
