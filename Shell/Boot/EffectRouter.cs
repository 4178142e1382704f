using Agent.Core.Host;
using Agent.Shell.Effects;
using Agent.Shell.Loop;
using Agent.Shell.Uplink;

namespace Agent.Shell.Boot;

/// <summary>Hands each effect to the one interpreter that it concerns.</summary>
internal sealed class EffectRouter : IEffects<HostEffect>
{
    // Interpreters need the loop and the loop needs them; they are set once, before the loop starts.
    private RuntimeStarter? _runtime;
    private ProcessInterpreter? _processes;
    private RolloutInterpreter? _rollouts;
    private OutboxInterpreter? _outbox;
    private ContainerInterpreter? _containers;
    private CompanionInterpreter? _companions;

    public void Connect(
        RuntimeStarter runtime, ProcessInterpreter processes, RolloutInterpreter rollouts, OutboxInterpreter outbox,
        ContainerInterpreter containers, CompanionInterpreter companions)
    {
        _runtime = runtime;
        _processes = processes;
        _rollouts = rollouts;
        _outbox = outbox;
        _containers = containers;
        _companions = companions;
    }

    public void Run(HostEffect effect) => _ = effect switch
    {
        HostEffect.Runtime(var runtime) => Run(() => _runtime?.Run(runtime)),
        HostEffect.Process(var process) => Run(() => _processes?.Run(process)),
        HostEffect.Rollout(var rollout) => Run(() => _rollouts?.Run(rollout)),

        HostEffect.Container(var container) => Run(() => _containers?.Run(container)),

        HostEffect.Companion(var companion) => Run(() => _companions?.Run(companion)),

        // Without a plane the outbox is off and has no effect but a refusal, which whoever asked is told.
        HostEffect.Outbox(var outbox) => Run(() => _outbox?.Run(outbox)),
    };

    private static bool Run(System.Action action)
    {
        action();
        return true;
    }
}
