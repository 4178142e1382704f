using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Companion;
using Agent.Core.Host;
using Agent.Core.Model;
using Agent.Core.Outbox;
using Agent.Core.Process;
using Agent.Shell.Config;
using Agent.Shell.Docker;
using Agent.Shell.Effects;
using Agent.Shell.Observability;
using Agent.Shell.Pki;
using Agent.Shell.Uplink;
using LanguageExt;

namespace Agent.Shell.Boot;

/// <summary>What the configuration says becomes what Core is told: services, containers, the plane.</summary>
internal sealed partial class AgentRun
{
    private async Task ReloadAsync()
    {
        try
        {
            _config = ConfigReader.Read(_options.Paths, _options.ConfigIsDefault);
            LogServices();
            await DeclareAsync().ConfigureAwait(false);
            await AttachAsync().ConfigureAwait(false);
            Log.Info("reloaded", ("config", _options.Paths.Config), ("services", _config.Services.Count));
            _systemd.Reloaded("ready");
        }
        catch (ConfigException failure)
        {
            foreach (var mistake in failure.Mistakes) Log.Fail(mistake);
            Log.Fail("the configuration stays as it was");
        }
    }

    /// <summary>Tells Core what the configuration declares; environments go past the journal, to the secrets.</summary>
    private async Task DeclareAsync()
    {
        var declared = new List<ServiceDeclaration>();
        foreach (var service in _config.Services)
        {
            var known = _loop.Current.State.Processes.All.Values
                .Where(state => state.Profile.Spec.Kind == ProcessKind.Service && state.Profile.Spec.Label == service.Spec.Label)
                .Select(state => state.Profile.Id).FirstOrDefault();
            var id = known ?? Ids.New();
            _secrets.Put(id, service.Environment, ReadOnlyMemory<byte>.Empty);
            declared.Add(new(id, service.Spec with { EnvironmentDigest = _secrets.Digest(service.Environment) }));
        }

        await _loop.AskAsync(
            new HostEvent.Configured(_config.Policy, declared.ToArray().ToSeq()), _ending.Token).ConfigureAwait(false);

        var mistakes = await _declaration.DeclareAsync(_ending.Token).ConfigureAwait(false);
        foreach (var mistake in mistakes) Log.Fail(mistake);
        if (mistakes.Count > 0) Log.Fail("the containers stay as they were declared");

        // A host that never had a companion writes nothing of any.
        var companions = _declaredCompanions.Declare(_config.Companions);
        if (companions.Specs.IsEmpty && _loop.Current.State.Companions.Passing is LookState.Off) return;
        await _loop.AskAsync(new HostEvent.CompanionsReported(companions), _ending.Token).ConfigureAwait(false);
    }

    /// <summary>Where the engine that this agent supervises listens, or will.</summary>
    private string SocketOfRuntime() => _loop.Current.State.Runtime is Core.Runtime.RuntimeState.Ready ready
        ? EngineLayout.SocketOf(ready.Endpoint)
        : _config.Runtime.Socket;

    /// <summary>
    /// The plane that the configuration names, or the one that this host was enrolled with. An identity that cannot be
    /// read is told and changes nothing: what is owed to the plane stays owed.
    /// </summary>
    private async Task AttachAsync()
    {
        try
        {
            var plane = _config.Rollout.Plane ?? PlaneAddress.Read(_options.Paths.PlaneAddress);
            if (plane is null)
            {
                if (_loop.Current.State.Outbox is OutboxState.Off) return;
                _plane.Detach();
                await _loop.AskAsync(new HostEvent.Outbox(new OutboxEvent.Detached()), _ending.Token).ConfigureAwait(false);
                return;
            }

            var identity = ClientIdentity.Open(_options.Paths.Identity);
            if (identity.Current is not { } current)
            {
                identity.Dispose();
                Log.Warn("this host is not enrolled", ("plane", plane), ("do", "agent enroll, with a token from the plane"));
                return;
            }

            _plane.Attach(plane, identity);
            Log.Info("attached", ("plane", plane), ("host", current.Host), ("until", current.NotAfter));
            if (current.Host.Value != _config.Rollout.Host)
            {
                Log.Warn(
                    "the plane knows this host by another name, and its manifests will be refused",
                    ("certificate", current.Host), ("configuration", _config.Rollout.Host));
            }

            if (_loop.Current.State.Outbox is OutboxState.Off)
            {
                await _loop.AskAsync(new HostEvent.Outbox(new OutboxEvent.Attached()), _ending.Token).ConfigureAwait(false);
            }
        }
        catch (PkiRefused refused)
        {
            Log.Warn("the plane cannot be used", ("why", refused.Message));
        }
    }

    private void LogServices() => _output.LogServices(_config.Services.ToDictionary(
        static one => one.Spec.Label, static one => one.Log, StringComparer.Ordinal));
}
