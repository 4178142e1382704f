using System;
using System.Linq;
using Agent.Core.Process;
using Agent.Core.Runtime;
using Agent.Shell.Config;
using Agent.Shell.Containers;
using Xunit;

namespace Agent.Tests.Config;

/// <summary>What a configuration means.</summary>
public sealed class ConfigReaderTests
{
    /// CL-2, PR-1: every key of a service and of the runtime, as it is documented.
    [Fact]
    public void Every_key_is_understood()
    {
        using var folder = new ConfigFolder("""
            runtime:
              keep: always
              searchPath: [/opt/engine/bin, /opt/bin]
              dataRoot: /srv/docker
              socket: /run/own.sock
              containerdSocket: /run/containerd/containerd.sock
              startTimeout: 1m30s
            services:
              db:
                command: [/usr/local/bin/db]
                log: off
              web:
                command: [/usr/bin/python3, -m, http.server, 8080]
                env: { LANG: C.UTF-8, EMPTY: "" }
                cwd: /srv/www
                user: www-data
                restart: onFailure
                after: [db]
                stdin: open
                overflow: backpressure
                ringBytes: 64KiB
                stopSignal: int
                grace: 250ms
                log: { maxSize: 1MiB, files: 3 }
            """);

        var config = folder.Read();

        Assert.Equal(new RuntimePolicy(Keep.Always, TimeSpan.FromSeconds(90)), config.Policy);
        Assert.Equal(["/opt/engine/bin", "/opt/bin"], config.Runtime.SearchPath);
        Assert.Equal(
            ("/srv/docker", "/run/own.sock", "/run/containerd/containerd.sock"),
            (config.Runtime.DataRoot, config.Runtime.Socket, config.Runtime.ContainerdSocket));
        var web = config.Services.Single(one => one.Spec.Label == "web");
        Assert.Equal(["/usr/bin/python3", "-m", "http.server", "8080"], web.Spec.Command.ToArray());
        Assert.Equal(("C.UTF-8", ""), (web.Environment["LANG"], web.Environment["EMPTY"]));
        Assert.Equal(("/srv/www", "www-data"), (web.Spec.WorkingDirectory.IfNone(""), web.Spec.User.IfNone("")));
        Assert.Equal(
            (RestartPolicy.OnFailure, StdinMode.Open, Overflow.Backpressure, 64 << 10, Signal.Interrupt),
            (web.Spec.Restart, web.Spec.Stdin, web.Spec.Overflow, web.Spec.RingBytes, web.Spec.StopSignal));
        Assert.Equal(TimeSpan.FromMilliseconds(250), web.Spec.Grace);
        Assert.Equal(["db"], web.Spec.After.ToArray());
        Assert.Equal(new LogSettings(1 << 20, 3), web.Log);
        Assert.Null(config.Services.Single(one => one.Spec.Label == "db").Log);
    }

    /// PR-1: what is left out has its default; a service has no lifetime and no idle timeout, and is root's. Upstream:
    /// defaults (veloslet).
    [Fact]
    public void A_service_needs_no_more_than_a_command()
    {
        using var folder = new ConfigFolder("services: { db: { command: [/bin/db] } }");

        var spec = folder.Read().Services.Single().Spec;

        Assert.Equal((ProcessKind.Service, true), (spec.Kind, spec.Owner.IsRoot));
        Assert.Equal((RestartPolicy.Always, Signal.Term), (spec.Restart, spec.StopSignal));
        Assert.Equal((ProcessSpec.DefaultRingBytes, ProcessSpec.DefaultGrace), (spec.RingBytes, spec.Grace));
        Assert.True(spec.MaxLifetime.IsNone && spec.IdleTimeout.IsNone && spec.User.IsNone);
    }

    /// TR-4: exec probes run any program, unless they are held to the release.
    [Fact]
    public void Exec_probes_are_held_to_the_release_where_it_says_so()
    {
        using var silent = new ConfigFolder("rollout: { keepReleases: 3 }");
        using var held = new ConfigFolder("rollout: { execProbes: release }");
        Assert.Equal((3, ProbePrograms.Any), (silent.Read().Rollout.KeepReleases, silent.Read().Rollout.ExecProbes));
        Assert.Equal(ProbePrograms.Release, held.Read().Rollout.ExecProbes);
    }

    /// CL-2: without a file at the default place there is nothing to keep, which is no mistake.
    [Fact]
    public void A_missing_file_is_an_empty_configuration_if_nobody_named_it()
    {
        using var folder = new ConfigFolder();

        var config = folder.Read(mayBeMissing: true);

        Assert.Empty(config.Services);
        Assert.Equal(Keep.OnDemand, config.Policy.Keep);
        Assert.Equal(["agent.yaml: there is no such file"], folder.Mistakes());
    }

    /// CL-2: an empty file, one of comments only, and maps left empty are empty configurations.
    [Theory]
    [InlineData("")]
    [InlineData("# nothing yet\n")]
    [InlineData("---\n")]
    [InlineData("runtime:\nservices:\n")]
    [InlineData("services: {}")]
    public void Nothing_said_is_nothing_wrong(string yaml)
    {
        using var folder = new ConfigFolder(yaml);

        Assert.Empty(folder.Read().Services);
    }

    /// CL-2, upstream merge_from_unions_every_field: the maps of conf.d/*.yaml add to those of the file, in the order
    /// of their names; other files are not read.
    [Fact]
    public void Drop_ins_add_to_the_file()
    {
        using var folder = new ConfigFolder("runtime: { keep: always }\nservices: { a: { command: [/bin/a] } }");
        folder.Write("conf.d/20-c.yaml", "services: { c: { command: [/bin/c], after: [a] } }");
        folder.Write("conf.d/10-b.yaml", "runtime: { startTimeout: 5s }\nservices: { b: { command: [/bin/b] } }");
        folder.Write("conf.d/README.md", "services: nonsense");

        var config = folder.Read();

        Assert.Equal(["a", "b", "c"], config.Services.Select(one => one.Spec.Label));
        Assert.Equal(new RuntimePolicy(Keep.Always, TimeSpan.FromSeconds(5)), config.Policy);
    }

    /// CL-2: a drop-in may stand alone.
    [Fact]
    public void Drop_ins_need_no_main_file()
    {
        using var folder = new ConfigFolder();
        folder.Write("conf.d/a.yaml", "services: { a: { command: [/bin/a] } }");

        Assert.Equal("a", folder.Read(mayBeMissing: true).Services.Single().Spec.Label);
    }

    /// CL-2, upstream merge_from_preserves_root_flags_when_component_flags_are_false: a key that stands in two files is
    /// told with both places.
    [Fact]
    public void A_key_may_be_given_once_over_all_files()
    {
        using var folder = new ConfigFolder("runtime:\n  keep: always\nservices:\n  a:\n    command: [/bin/a]\n");
        folder.Write("conf.d/b.yaml", "runtime:\n  keep: onDemand\nservices:\n  a:\n    command: [/bin/other]\n");

        Assert.Equal(
            [
                "conf.d/b.yaml:2:3: keep was given at agent.yaml:2:3 already",
                "conf.d/b.yaml:4:3: a was given at agent.yaml:4:3 already",
            ],
            folder.Mistakes());
    }

    /// PR-4: a service's environment is the agent's PATH, LANG, LC_* and TZ and what is declared, nothing else.
    [Fact]
    public void A_service_inherits_only_where_programs_are_and_the_language()
    {
        Environment.SetEnvironmentVariable("SOMETHING_PRIVATE", "of the agent's");
        using var folder = new ConfigFolder("services: { a: { command: [/bin/a], env: { MINE: 1 } } }");

        var environment = folder.Read().Services.Single().Environment;

        Assert.Equal("1", environment["MINE"]);
        Assert.Contains("PATH", environment.Keys);
        Assert.DoesNotContain("SOMETHING_PRIVATE", environment.Keys);
        Assert.DoesNotContain("HOME", environment.Keys);
    }

    /// CT-9: the desired set is a Compose file; without a socket it is for the engine that the agent keeps.
    [Fact]
    public void Containers_are_declared_in_a_compose_file()
    {
        using var folder = new ConfigFolder();
        var compose = $"{folder.Path}/compose.yaml";
        folder.Write("compose.yaml", "services:\n  web:\n    image: nginx:1\n    restart: always\n");
        folder.Write("agent.yaml", $"containers: {{ compose: {compose}, socket: /run/podman.sock, install: false }}");
        var containers = folder.Read().Containers;
        Assert.Equal(
            (compose, new EngineAddress.Socket("/run/podman.sock"), false),
            (containers.Compose, containers.Engine, containers.Install));
        Assert.Equal("web", Assert.Single(containers.Definitions).Uid.Value);
    }

    /// CT-1: a command takes the socket's place.
    [Fact]
    public void Containers_may_be_kept_by_a_command()
    {
        using var folder = new ConfigFolder("containers: { command: /usr/local/bin/container }");
        Assert.Equal(new EngineAddress.Command("/usr/local/bin/container"), folder.Read().Containers.Engine);
    }

    /// CT-9, RO-11: the set may be in a file of a channel's release.
    [Fact]
    public void Containers_may_be_declared_by_a_release()
    {
        using var folder = new ConfigFolder("containers: { release: app/deploy/compose.yaml, dropped: remove }");
        var containers = folder.Read().Containers;
        Assert.Equal(("app", "deploy/compose.yaml"), (containers.Release!.Channel.Value, containers.Release.Path));
        Assert.True(containers.RemoveDropped);
    }

    /// CT-9: what is wrong with the Compose file is wrong with the configuration, and told beside the rest.
    [Fact]
    public void Mistakes_in_a_compose_file_are_the_configurations()
    {
        using var folder = new ConfigFolder();
        var compose = $"{folder.Path}/compose.yaml";
        folder.Write("compose.yaml", "services:\n  web:\n    image: nginx:1\n    privileged: true\n");
        folder.Write("agent.yaml", $"containers: {{ compose: {compose}, instal: true }}");
        var mistakes = folder.Mistakes();
        Assert.Contains(mistakes, mistake => mistake.Contains("\"instal\"", StringComparison.Ordinal));
        Assert.Contains(mistakes, mistake => mistake.Contains("compose.yaml:4:5", StringComparison.Ordinal));
    }

    /// CT-10: a unit is a file of the operator's or stands in the configuration; companions of all files add up.
    [Fact]
    public void Companions_are_files_or_text()
    {
        using var folder = new ConfigFolder();
        folder.Write("cache.unit", "[Service]\nExecStart=/usr/bin/cache\n");
        folder.Write("agent.yaml", $"systemd: {{ units: /etc/systemd/system/ }}\ncompanions: {{ cache.service: {{ unit: {folder.Path}/cache.unit }} }}");
        folder.Write("conf.d/more.yaml", """
            companions:
              sweep.timer:
                content: |
                  [Timer]
                  OnBootSec=1h
                start: false
                restart: false
                after: [cache.service]
            """);
        var companions = folder.Read().Companions;
        Assert.Equal("/etc/systemd/system", companions.Units);
        Assert.Equal(
            [("cache.service", "[Service]\nExecStart=/usr/bin/cache\n", true, true, ""), ("sweep.timer", "[Timer]\nOnBootSec=1h\n", false, false, "cache.service")],
            companions.Definitions.Select(one => (one.Name.Value, one.Text, one.Start, one.Restart, string.Join(' ', one.After))));
    }

    /// CT-10: units are of this boot unless their folder is named.
    [Fact]
    public void Without_a_folder_units_are_of_this_boot()
    {
        using var folder = new ConfigFolder("companions: { a.service: { content: x } }");
        Assert.Equal("/run/systemd/system", folder.Read().Companions.Units);
    }
}
