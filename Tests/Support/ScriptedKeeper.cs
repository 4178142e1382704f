using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Effects;

namespace Agent.Tests.Support;

/// <summary>
/// Answers the core's effects at once, as the name of the program says: /missing cannot run, /stubborn ends only when
/// its tree is killed, /silent is never answered; everything else runs and ends by any signal.
/// </summary>
internal sealed class ScriptedKeeper : ISpawnSecrets
{
    private readonly ConcurrentDictionary<(string Id, int Generation), string> _programs = new();
    private int _pid = 1000;

    public ConcurrentDictionary<string, Secret> Secrets { get; } = new(StringComparer.Ordinal);

    public ConcurrentQueue<HostEffect> Effects { get; } = new();

    public void Put(ProcessId id, IReadOnlyDictionary<string, string> environment, ReadOnlyMemory<byte> prelude) =>
        Secrets[id.Value] = new(environment, prelude.ToArray());

    public void Remove(ProcessId id) => Secrets.TryRemove(id.Value, out _);

    public void Run(CoreHost host, HostEffect effect)
    {
        Effects.Enqueue(effect);
        if (effect is HostEffect.Process(ProcessEffect.Reap(var reaped, _))) Remove(reaped);
        if (Answer(effect) is not { } answer) return;

        // The loop must never wait for room in its own inbox.
        Task.Run(async () => await host.PostAsync(answer, CancellationToken.None));
    }

    private HostEvent.ProcessReported? Answer(HostEffect effect) => effect switch
    {
        HostEffect.Runtime or HostEffect.Rollout or HostEffect.Outbox or HostEffect.Container or HostEffect.Companion => null,
        HostEffect.Process(var process) => Answer(process),
    };

    private HostEvent.ProcessReported? Answer(ProcessEffect effect) => effect switch
    {
        ProcessEffect.Spawn(var id, var generation, var spec) => Spawn(id, generation, spec.Command[0]),
        ProcessEffect.SendSignal(var id, var generation, var signal) =>
            _programs[(id.Value, generation)] == "/stubborn" ? null : Exit(id, generation, (int)signal),
        ProcessEffect.KillTree(var id, var generation) => Exit(id, generation, (int)Signal.Kill),
        ProcessEffect.Adopt or ProcessEffect.Forget or ProcessEffect.CloseOutput or ProcessEffect.Reap
            or ProcessEffect.Reject => null,
    };

    private HostEvent.ProcessReported? Spawn(ProcessId id, int generation, string program)
    {
        _programs[(id.Value, generation)] = program;
        return program switch
        {
            "/silent" => null,
            "/missing" => new(id, new ProcessEvent.SpawnFailed(generation, "ENOENT", "there is no /missing")),
            _ => new(id, new ProcessEvent.SpawnCompleted(
                generation, new ProcessIdentity(Interlocked.Increment(ref _pid), 1, new BootId("boot")))),
        };
    }

    private static HostEvent.ProcessReported Exit(ProcessId id, int generation, int signal) => new(
        id,
        new ProcessEvent.ExitObserved(
            generation,
            new ExitStatus.Signaled(signal),
            TimeSpan.FromMilliseconds(12),
            4096,
            LanguageExt.Seq<string>.Empty));

    internal sealed record Secret(IReadOnlyDictionary<string, string> Environment, byte[] Prelude);
}
