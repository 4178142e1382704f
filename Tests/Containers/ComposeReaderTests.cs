using System;
using System.Collections.Generic;
using System.Linq;
using Agent.Core.Container;
using Agent.Shell.Containers;
using Xunit;

namespace Agent.Tests.Containers;

/// <summary>What a Compose file declares.</summary>
public sealed class ComposeReaderTests
{
    internal const string Whole = """
        name: shop
        x-note: whatever
        services:
          db:
            image: registry:5000/postgres:16
            environment:
              POSTGRES_PASSWORD_FILE: /run/secrets/db
              MODE: "${MODE:-fast}"
              EMPTY: ""
            volumes:
              - data:/var/lib/postgresql
              - ./init:/init:ro
              - type: tmpfs
                target: /scratch
                tmpfs: { size: 64m }
            secrets: [db]
            healthcheck:
              test: pg_isready -U postgres
              interval: 5s
              timeout: 1500ms
              start_period: 1m
              retries: 3
            restart: unless-stopped
            stop_signal: SIGINT
            stop_grace_period: 1m30s
            mem_limit: 512m
          web:
            image: web
            command: ["serve", "--port", "80"]
            entrypoint: /entry 'a b'
            env_file: web.env
            environment: [A=1, FROM_OUTSIDE, "DOLLAR=$$5"]
            ports:
              - "80"
              - 8080:80
              - 127.0.0.1:9000-9001:9000-9001/udp
              - target: 443
                published: "8443"
                host_ip: "::1"
            depends_on:
              db: { condition: service_healthy }
              job: { condition: service_completed_successfully }
            labels: { team: shop }
            deploy: { resources: { limits: { cpus: "0.5", memory: 1g, pids: 100 } } }
            user: "7:8"
            working_dir: /srv
            hostname: front
            extra_hosts: ["other:10.0.0.1", "six:::1"]
            cap_add: [NET_ADMIN]
            cap_drop: [ALL]
            read_only: true
            init: true
            tmpfs: /run
            pull_policy: always
          job:
            image: web
            network_mode: none
            depends_on: [db]
            restart: on-failure
            healthcheck: { disable: true }
        volumes:
          data:
        secrets:
          db: { file: ./db.secret }
        """;

    /// CT-9: the common keys, in all their spellings, mean what the Compose Specification says. Upstream: manifest
    /// translation, policy mapping, capabilities, read-only and tmpfs volumes, quoting (quadlet); pull-only parse (manifest).
    [Fact]
    public void The_common_keys_are_read()
    {
        using var folder = new ComposeFolder(Whole);
        folder.Write("db.secret", "x");
        folder.Write("web.env", "# a note\nA=0\nexport B='$raw'\nC=\"two\\nlines of ${MODE}\" # and a note\nD=plain # note\n");
        folder.Environment["MODE"] = "slow";
        folder.Environment["FROM_OUTSIDE"] = "yes";
        var all = folder.Read();
        Assert.Equal(["db", "web", "job"], all.Select(one => one.Uid.Value));

        var db = all[0];
        Assert.Equal(("registry:5000/postgres:16", "SIGINT", TimeSpan.FromSeconds(90)), (db.Image, db.StopSignal, db.StopGrace));
        Assert.Equal((ContainerRestart.Always, 512L << 20), (db.Restart, db.Limits.MemoryBytes));
        Assert.Equal(
            new Dictionary<string, string> { ["POSTGRES_PASSWORD_FILE"] = "/run/secrets/db", ["MODE"] = "slow", ["EMPTY"] = "" },
            db.Environment);
        Assert.Equal(
            [
                new(MountKind.Volume, "data", "/var/lib/postgresql", false),
                new(MountKind.Bind, folder.Path + "/init", "/init", true),
                new(MountKind.Tmpfs, "", "/scratch", false, 64 << 20),
                new(MountKind.Bind, folder.Path + "/db.secret", "/run/secrets/db", true),
            ],
            db.Mounts);
        Assert.Equal(["CMD-SHELL", "pg_isready -U postgres"], db.Healthcheck!.Test);
        Assert.Equal(
            (TimeSpan.FromSeconds(5), TimeSpan.FromMilliseconds(1500), TimeSpan.FromMinutes(1), 3),
            (db.Healthcheck.Interval, db.Healthcheck.Timeout, db.Healthcheck.StartPeriod, db.Healthcheck.Retries));
        CheckWeb(all[1]);

        var job = all[2];
        Assert.Equal(("none", ContainerRestart.OnFailure, true), (job.NetworkMode, job.Restart, job.Healthcheck!.IsOff));
        Assert.Equal([new ContainerDependency(db.Uid, DependencyCondition.Started)], job.DependsOn);
    }

    private static void CheckWeb(ContainerDefinition web)
    {
        Assert.Equal(["serve", "--port", "80"], web.Command);
        Assert.Equal(["/entry", "a b"], web.Entrypoint);
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["A"] = "1", ["B"] = "$raw", ["C"] = "two\nlines of slow", ["D"] = "plain", ["FROM_OUTSIDE"] = "yes", ["DOLLAR"] = "$5",
            },
            web.Environment);
        Assert.Equal(
            [
                new("", null, 80, "tcp"), new("", 8080, 80, "tcp"), new("127.0.0.1", 9000, 9000, "udp"),
                new("127.0.0.1", 9001, 9001, "udp"), new("::1", 8443, 443, "tcp"),
            ],
            web.Ports);
        Assert.Equal(
            [
                new(Rig.Uid("db"), DependencyCondition.Healthy),
                new ContainerDependency(Rig.Uid("job"), DependencyCondition.Completed),
            ],
            web.DependsOn);
        Assert.Equal(new ContainerLimits(1L << 30, 500, 100), web.Limits);
        Assert.Equal(("7:8", "/srv", "front", PullPolicy.Always), (web.User, web.WorkingDirectory, web.Hostname, web.Pull));
        Assert.Equal([new("other", "10.0.0.1"), new("six", "::1")], web.ExtraHosts);
        Assert.Equal(("NET_ADMIN", "ALL"), (web.AddedCapabilities.Single(), web.DroppedCapabilities.Single()));
        Assert.True(web is { ReadOnlyRoot: true, Init: true });
        Assert.Equal([new(MountKind.Tmpfs, "", "/run", false)], web.Mounts);
        Assert.Equal("shop", web.Labels["team"]);
    }

    /// CT-9: a size is a number of bytes or has a unit of 1024. Upstream: memory forms (quadlet), memory parse (veloslet).
    [Theory]
    [InlineData("64m")]
    [InlineData("64M")]
    [InlineData("64mb")]
    [InlineData("65536k")]
    [InlineData("67108864")]
    [InlineData("67108864b")]
    public void A_size_has_many_spellings(string written)
    {
        using var folder = new ComposeFolder($"services: {{ a: {{ image: x, mem_limit: {written} }} }}");
        Assert.Equal(64 << 20, folder.ReadOne().Limits.MemoryBytes);
    }

    /// CT-9: a health check is a line for a shell, a command, or none at all; what it says is not touched. Upstream:
    /// health forms, no doubled URL scheme (quadlet).
    [Theory]
    [InlineData("test: 'a b'", "CMD-SHELL|a b")]
    [InlineData("test: [CMD-SHELL, 'a b']", "CMD-SHELL|a b")]
    [InlineData("test: [CMD, a, b]", "CMD|a|b")]
    [InlineData("test: [CMD, wget, 'http://127.0.0.1:80/']", "CMD|wget|http://127.0.0.1:80/")]
    [InlineData("test: wget https://localhost/", "CMD-SHELL|wget https://localhost/")]
    [InlineData("test: [NONE]", "NONE")]
    [InlineData("disable: true", "NONE")]
    [InlineData("disable: false", "")]
    [InlineData("interval: 5s", "")]
    public void A_health_check_has_many_spellings(string written, string test)
    {
        using var folder = new ComposeFolder($"services: {{ a: {{ image: x, healthcheck: {{ {written} }} }} }}");
        Assert.Equal(test, string.Join('|', folder.ReadOne().Healthcheck!.Test));
    }

    /// CT-9: a container has the set's own network unless it names another. Upstream: host and bridge network (quadlet).
    [Theory]
    [InlineData("", null)]
    [InlineData(", network_mode: host", "host")]
    [InlineData(", network_mode: bridge", "bridge")]
    [InlineData(", network_mode: none", "none")]
    public void A_container_has_one_network(string written, string? mode)
    {
        using var folder = new ComposeFolder($"services: {{ a: {{ image: x{written} }} }}");
        Assert.Equal(mode, folder.ReadOne().NetworkMode);
    }

    /// CT-9: a variable comes from outside, then from `.env` beside the file; a default or a reason stands behind it.
    [Theory]
    [InlineData("$A", "outer")]
    [InlineData("${B}", "inner")]
    [InlineData("${NONE:-x}", "x")]
    [InlineData("${EMPTY:-x}", "x")]
    [InlineData("${EMPTY-x}", "")]
    [InlineData("${A:+set}", "set")]
    [InlineData("${NONE:+set}-", "-")]
    [InlineData("${NONE:-${NONE:-${B}}}", "inner")]
    [InlineData("${A:?must}", "outer")]
    [InlineData("$$A ${A}$$", "$A outer$")]
    [InlineData("${C}", "inner+")]
    public void Variables_have_their_values(string written, string value)
    {
        using var folder = new ComposeFolder($"services: {{ a: {{ image: x, environment: {{ V: '{written}' }} }} }}");
        folder.Write(".env", "A=own\nB=inner\nEMPTY=\nC=${B}+\n");
        folder.Environment["A"] = "outer";
        Assert.Equal(value, folder.ReadOne().Environment["V"]);
    }

    /// CT-9: what only an external volume may have is its own name.
    [Fact]
    public void An_external_volume_has_its_own_name()
    {
        using var folder = new ComposeFolder("""
            services: { a: { image: x, volumes: ["old:/data"] } }
            volumes: { old: { external: true, name: their-volume } }
            """);
        Assert.Equal([new(MountKind.External, "their-volume", "/data", false)], folder.ReadOne().Mounts);
    }

    /// CT-9: an empty set is a set.
    [Fact]
    public void A_file_may_declare_nothing()
    {
        using var folder = new ComposeFolder("services: {}\n");
        Assert.Empty(folder.Read());
    }
}
