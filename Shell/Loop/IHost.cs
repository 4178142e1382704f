using Agent.Core.Host;

namespace Agent.Shell.Loop;

/// <summary>The owner of the host's state.</summary>
internal interface IHost : ILoop<HostState, HostEvent, HostEffect>;

/// <summary>The loop of an agent.</summary>
internal sealed class HostLoop(
    Published<HostState> recovered, Clock clock, IRecorder<HostState, HostEvent, HostEffect> recorder,
    IEffects<HostEffect> effects)
    : EventLoop<HostState, HostEvent, HostEffect>(HostBinding.Instance, recovered, clock, recorder, effects), IHost;
