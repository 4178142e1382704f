using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Container;
using Agent.Shell.Containers;
using Agent.Shell.Containers.Apple;
using Agent.Shell.Containers.Engine;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.Containers;

/// <summary>
/// A stand-in for Apple's `container` command: a script that takes its arguments, answers with its JSON, and runs the
/// containers' scripts as processes of this host.
/// </summary>
public sealed class AppleWorld : BackendWorld
{
    private const string Script = """
        #!/bin/sh
        S="$(dirname "$0")"
        printf '%s\n' "$*" >>"$S/calls"
        die() { echo "Error: $*" >&2; exit 1; }
        end() {
          [ -f "$1/pid" ] || return
          until [ -f "$1/code" ]; do
            kill -KILL -- "-$(cat "$1/pid")" 2>/dev/null || kill -KILL "$(cat "$1/pid")" 2>/dev/null
            sleep 0.01
          done
        }
        for last; do :; done
        case "$1 $2" in
          "--version ") echo "container CLI version 1.0.0" ;;
          "list --all")
            printf '['
            comma=
            for c in "$S"/c/*; do
              labels=$(cat "$c/labels" 2>/dev/null) || continue
              state='"status":"created"'
              [ -f "$c/pid" ] && state='"status":"running"'
              code=$(cat "$c/code" 2>/dev/null) && state="\"status\":\"stopped\",\"exitCode\":$code"
              printf '%s{"configuration":{"id":"%s","labels":{%s}},%s}' "$comma" "$(basename "$c")" "$labels" "$state"
              comma=,
            done
            printf ']'
            ;;
          "create --name")
            name=$3; labels=; shift 3
            while :; do
              case "$1" in
                --label) labels="$labels${labels:+,}\"${2%%=*}\":\"${2#*=}\""; shift 2 ;;
                --env-file) cp "$2" "$S/env"; shift 2 ;;
                --*) shift 2 ;;
                *) break ;;
              esac
            done
            mkdir "$S/c/$name" 2>/dev/null || die "container already exists: $name"
            printf '%s' "$labels" >"$S/c/$name/labels"
            printf '%s' "$last" >"$S/c/$name/script"
            echo "$name"
            ;;
          start\ *)
            c="$S/c/$2"
            rm -f "$c/code"
            : >"$c/log"
            (
              setsid sh -c "$(cat "$c/script")" >>"$c/log" 2>&1 </dev/null &
              echo $! >"$c/pid"
              wait $!
              echo $? >"$c/new" && mv "$c/new" "$c/code"
            ) >/dev/null 2>&1 </dev/null &
            until [ -f "$c/pid" ]; do sleep 0.01; done
            ;;
          stop\ *|kill\ *) end "$S/c/$last" ;;
          delete\ *) end "$S/c/$last"; mv "$S/c/$last" "$S/gone-$$" ;;
          logs\ *)
            c="$S/c/$last"
            [ "$2" = --follow ] && until [ -f "$c/code" ]; do sleep 0.01; done
            [ "$2" = -n ] && tail -n "$3" "$c/log" || cat "$c/log"
            ;;
          "image inspect") [ -f "$S/i/$3" ] || die "image not found: $3" ;;
          "image load")
            image=$(grep -a -o '"RepoTags":\["[^"]*"' "$4" | head -1 | cut -d'"' -f4)
            [ -n "$image" ] || die "this is no archive of images"
            : >"$S/i/$image"
            echo "Loaded image: $image"
            ;;
          "image pull") : >"$S/i/$3" ;;
          stats\ *) printf '[{"cpuUsageUsec":1500000,"memoryUsageBytes":4096,"memoryLimitBytes":8192,"numProcesses":2}]' ;;
          *) die "unknown command $*" ;;
        esac
        """;

    private readonly string _directory = Directory.CreateTempSubdirectory("apple-").FullName;

    public override bool HasEvents => false;

    public override bool TellsStreamsApart => false;

    /// <summary>All the arguments it was ever given, a line a run.</summary>
    internal string Calls => File.ReadAllText(Path.Combine(_directory, "calls"));

    internal string Environment => File.ReadAllText(Path.Combine(_directory, "env"));

    internal string Program => Path.Combine(_directory, "container");

    /// <summary>The process that the stand-in runs for a container.</summary>
    internal int PidOf(string name) => int.Parse(
        File.ReadAllText(Path.Combine(_directory, "c", name, "pid")), System.Globalization.CultureInfo.InvariantCulture);

    internal override IContainerBackend Connect(string instance) => new AppleBackend(Program, new ContainerLabels(instance), Path.GetTempPath());

    public override Task DisposeAsync()
    {
        Directory.Delete(_directory, recursive: true);
        return Task.CompletedTask;
    }

    protected override Task BeginAsync()
    {
        Directory.CreateDirectory(Path.Combine(_directory, "c"));
        Directory.CreateDirectory(Path.Combine(_directory, "i"));
        Executable.Write(Program, Script);
        return Task.CompletedTask;
    }
}

/// <summary>The backend for Apple's command, with the command's answers recorded.</summary>
public sealed class AppleBackendTests(AppleWorld world) : BackendConformance(world), IClassFixture<AppleWorld>
{
    private readonly AppleWorld _world = world;

    private static CancellationToken None => CancellationToken.None;

    /// SE-1: a variable's value is in a file of the run's own, and in nobody's process list.
    [Fact]
    public async Task Values_stay_out_of_arguments()
    {
        await using var rig = Connect();
        await rig.CreateAsync(Rig.Script("web", "exit 0") with
        {
            NetworkMode = null,
            Environment = new Dictionary<string, string> { ["TOKEN"] = "very-secret" },
            Ports = [new("127.0.0.1", 8080, 80, "tcp")],
            Limits = new(1 << 30, 2000, null),
            Mounts = [new(MountKind.Bind, "/srv", "/data", ReadOnly: true), new(MountKind.Tmpfs, "", "/run", ReadOnly: false)],
            User = "7",
        });
        Assert.DoesNotContain("very-secret", _world.Calls, StringComparison.Ordinal);
        Assert.Equal("TOKEN=very-secret\n", _world.Environment);
        Assert.Contains(
            "--user 7 --memory 1073741824 --cpus 2 --publish 127.0.0.1:8080:80/tcp --volume /srv:/data:ro --tmpfs /run tiny:1 /bin/sh",
            _world.Calls, StringComparison.Ordinal);
    }

    /// CT-1: what the command cannot do is refused, not left out.
    [Fact]
    public async Task What_it_cannot_do_is_refused()
    {
        await using var rig = Connect();
        var one = Rig.Script("web", "");
        ContainerDefinition[] impossible =
        [
            one with { Healthcheck = new(["CMD", "x"], null, null, null, null) }, one with { NetworkMode = "host" },
            one with { AddedCapabilities = ["X"] }, one with { Limits = new(null, 500, null) }, one with { ReadOnlyRoot = true },
            one with { Environment = new Dictionary<string, string> { ["A"] = "b\nLD_PRELOAD=c" } },
        ];
        foreach (var definition in impossible)
        {
            await Rig.FaultAsync(ContainerFault.Refused, () => rig.CreateAsync(definition));
        }
    }

    /// Row 92: a command that hangs costs its bound, and ends with all that it started.
    [Fact]
    public async Task A_command_that_hangs_is_bounded()
    {
        using var hanging = new TemporaryFile("");
        Executable.WriteScript(hanging.Path, "sleep 1000 & wait");
        var limits = new EngineLimits { Look = TimeSpan.FromMilliseconds(300) };
        using var backend = new AppleBackend(hanging.Path, new ContainerLabels(Rig.NewInstance()), Path.GetTempPath(), limits);
        var watch = Stopwatch.StartNew();
        await Rig.FaultAsync(ContainerFault.TimedOut, () => backend.ListAsync(None));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"it took {watch.Elapsed}");
        using var missing = new AppleBackend("/no/such/command", new ContainerLabels(Rig.NewInstance()), Path.GetTempPath(), limits);
        await Rig.FaultAsync(ContainerFault.NotFound, () => missing.ListAsync(None));
    }

    /// CT-4: it tells of no changes, and whoever listens is let go with it.
    [Fact]
    public async Task Whoever_listens_is_let_go_at_its_end()
    {
        var backend = new AppleBackend(_world.Program, new ContainerLabels(Rig.NewInstance()), Path.GetTempPath());
        await using var changes = backend.EventsAsync(() => { }, None).GetAsyncEnumerator();
        var next = changes.MoveNextAsync();
        Assert.False(next.IsCompleted);
        backend.Dispose();
        Assert.False(await next);
    }

    /// CT-1: what it uses is told.
    [Fact]
    public async Task What_it_uses_is_told()
    {
        await using var rig = Connect();
        await rig.CreateAsync(Rig.Script("web", "exit 0"));
        Assert.Equal(
            new ContainerStats(TimeSpan.FromSeconds(1.5), 4096, 8192, 2), await rig.Backend.StatsAsync(Rig.Uid("web"), None));
    }

    /// CT-2, CT-3; seed 004 `parse_list_filters_to_velos_instances_by_name_prefix`: the command's spellings are all
    /// understood, others' containers are passed over, and an end without a code is no success.
    [Fact]
    public void The_list_is_read_in_all_its_spellings()
    {
        var names = new ContainerLabels("0123456789abcdef");
        const string List = """
            [
              {"name":"agent-01234567-u1","status":"running"},
              {"names":["agent-01234567-u2"],"state":"stopped","exitCode":2},
              {"id":"agent-01234567-u3","state":"exited","exit_code":0,"labels":{"agent.spec":"d"}},
              {"name":"agent-01234567-u4","status":"stopped"},
              {"name":"agent-01234567-u5","status":"levitating"},
              {"name":"agent-01234567-u6"},
              {"name":"agent-01234567-u7","status":"running","labels":{"agent.instance":"0123456700000000"}},
              {"name":"someone-elses","status":"running"},
              {"status":"running"}, 7
            ]
            """;
        var read = AppleList.Read(List, names);
        Assert.Equal(["u1", "u2", "u3", "u4", "u5", "u6"], read.Select(one => one.Uid.Value));
        Assert.Equal(
            [
                new ContainerStatus.Running(true), new ContainerStatus.Exited(2, false), new ContainerStatus.Exited(0, false),
                new ContainerStatus.Unknown("it ended, and the command does not tell its exit code"),
                new ContainerStatus.Unknown("levitating"), new ContainerStatus.Unknown("the engine does not tell its state"),
            ],
            read.Select(one => one.Status));
        Assert.Equal("d", read[2].Digest);
        Assert.Empty(AppleList.Read("", names));
        Assert.Throws<ContainerException>(() => AppleList.Read("{}", names));
        Assert.Throws<ContainerException>(() => AppleList.Read("[", names));
    }
}
