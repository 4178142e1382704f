using System;
using System.IO;
using System.Linq;
using System.Text;
using Agent.Shell.Config;
using Xunit;

namespace Agent.Tests.Config;

/// <summary>What is refused, and how it is told: file, line, column, what is expected.</summary>
public sealed class ConfigMistakesTests
{
    /// CL-2: one mistake, one line.
    [Theory]
    [InlineData("contaners: {}", "1:1: unknown key \"contaners\", known here: runtime, host, rollout, nixos, plane, services, containers, companions, systemd")]
    [InlineData("plane: { url: x }", "1:15: url \"x\" is no address of a plane: https://NAME:PORT")]
    [InlineData("rollout: { execProbes: some }", "1:24: execProbes is one of any, release")]
    [InlineData("- a", "1:1: the configuration is a map of keys")]
    [InlineData("runtime: always", "1:10: runtime is a map of keys")]
    [InlineData("runtime: { keep: sometimes }", "1:18: keep is one of always, onDemand")]
    [InlineData("runtime: { keep: }", "1:18: keep is one of always, onDemand")]
    [InlineData("runtime: { searchPath: [bin] }", "1:25: each item of searchPath is an absolute path, \"bin\" is not")]
    [InlineData("runtime: { searchPath: /bin }", "1:24: searchPath is a list of texts, such as [a, b]")]
    [InlineData("runtime: { socket: docker.sock }", "1:20: socket is an absolute path, \"docker.sock\" is not")]
    [InlineData("runtime: { startTimeout: 90 }", "1:26: startTimeout is a duration such as 10s or 1h30m, from 1s to 1h")]
    [InlineData("runtime: { startTimeout: 2h }", "1:26: startTimeout is a duration such as 10s or 1h30m, from 1s to 1h")]
    [InlineData(
        "containers:\n  release: app/c.yaml\n  compose: /c.yaml",
        "3:3: compose and release exclude each other, and release was given at agent.yaml:2:3 already")]
    [InlineData("containers: { dropped: keep }", "1:24: dropped is one of leave, remove")]
    [InlineData(
        "containers: { release: c.yaml }",
        "1:24: release is a channel and a file of its releases, such as app/compose.yaml, \"c.yaml\" is not")]
    [InlineData(
        "containers: { release: a/../c }",
        "1:24: release is a channel and a file of its releases, such as app/compose.yaml, \"a/../c\" is not")]
    [InlineData(
        "containers: { release: /a/c }",
        "1:24: release is a channel and a file of its releases, such as app/compose.yaml, \"/a/c\" is not")]
    [InlineData("containers: { command: container }", "1:24: command is an absolute path, \"container\" is not")]
    [InlineData(
        "containers:\n  socket: /run/e.sock\n  command: /bin/c",
        "3:3: command and socket exclude each other, and socket was given at agent.yaml:2:3 already")]
    [InlineData(
        "containers:\n  command: /bin/c\n  socket: /run/e.sock",
        "3:3: socket and command exclude each other, and command was given at agent.yaml:2:3 already")]
    [InlineData("systemd: { units: run }", "1:19: units is an absolute path, \"run\" is not")]
    [InlineData(
        "companions: { a.mount: { content: x } }",
        "1:15: \"a.mount\" is no name of a companion: letters, digits, -, _, . and :, at most 128, with .service, .timer, .socket, .path at its end")]
    [InlineData(
        "companions: { ../a.service: { content: x } }",
        "1:15: \"../a.service\" is no name of a companion: letters, digits, -, _, . and :, at most 128, with .service, .timer, .socket, .path at its end")]
    [InlineData("companions: { agent.service: { content: x } }", "1:15: agent.service is the agent's own unit")]
    [InlineData("companions: { a.service: { content: x, enable: true } }", "1:40: unknown key \"enable\", known here: unit, content, start, restart, after")]
    [InlineData("companions: { a.service: { start: true } }", "1:15: a.service needs either unit, the path of its unit file, or content, that file's text")]
    [InlineData("companions: { a.service: { unit: /dev/null } }", "1:34: /dev/null is no unit file: empty")]
    [InlineData("companions: { a.service: { content: \"x\\0\" } }", "1:28: content is no unit file: holds a NUL")]
    [InlineData("companions: { a.service: { content: x, start: yes } }", "1:47: start is one of true, false")]
    [InlineData("companions: { a.service: { content: x, after: [b.service] } }", "1:48: a.service comes after b.service, which is no companion")]
    [InlineData("companions: { a.service: { content: x, after: [a.service] } }", "1:48: a.service would have to come after itself: a.service after a.service")]
    [InlineData("services: [a]", "1:11: services is a map of keys")]
    [InlineData("services: { a b: {} }", "1:13: \"a b\" is no name of a service: letters, digits, - and _, at most 64")]
    [InlineData("services: { a: }", "1:13: the service a needs a command, such as [/usr/bin/program, argument]")]
    [InlineData("services: { a: { command: [] } }", "1:27: command must name a program")]
    [InlineData("services: { a: { command: sleep 1 } }", "1:27: command is a list of texts, such as [a, b]")]
    [InlineData("services: { a: { command: [x, [y]] } }", "1:31: each item of command is a text")]
    [InlineData("services: { a: { command: [\"x\\0y\"] } }", "1:27: command holds a NUL character")]
    [InlineData("services: { a: { command: [x], env: [A=1] } }", "1:37: env is a map of keys")]
    [InlineData("services: { a: { command: [x], env: { 1A: b } } }", "1:39: env 1A is no name of a variable: letters, digits and _, not beginning with a digit")]
    [InlineData("services: { a: { command: [x], env: { A: } } }", "1:42: env A is a text")]
    [InlineData("services: { a: { command: [x], env: { LD_PRELOAD: b } } }", "1:39: env LD_PRELOAD is refused: it can make the program load other code")]
    [InlineData("services: { a: { command: [x], cwd: srv } }", "1:37: cwd is an absolute path, \"srv\" is not")]
    [InlineData("services: { a: { command: [x], user: -r } }", "1:38: user \"-r\" is no name of a user")]
    [InlineData("services: { a: { command: [x], restart: no } }", "1:41: restart is one of never, onFailure, always")]
    [InlineData("services: { a: { command: [x], stdin: yes } }", "1:39: stdin is one of none, open")]
    [InlineData("services: { a: { command: [x], overflow: drop } }", "1:42: overflow is one of dropOldest, backpressure")]
    [InlineData("services: { a: { command: [x], ringBytes: 1GiB } }", "1:43: ringBytes is a size such as 64KiB or 1MiB, from 4 KiB to 8 MiB")]
    [InlineData("services: { a: { command: [x], log: none } }", "1:37: log is one of on, off")]
    [InlineData("services: { a: { command: [x], log: { maxSize: 1KiB } } }", "1:48: maxSize is a size such as 64KiB or 1MiB, from 64 KiB to 1 GiB")]
    [InlineData("services: { a: { command: [x], log: { files: 1 } } }", "1:46: files is a whole number from 2 to 100")]
    [InlineData("services: { a: { command: [x], stopSignal: segv } }", "1:44: stopSignal is one of term, hup, usr1, usr2, int, quit, stop, cont, kill")]
    [InlineData("services: { a: { command: [x], grace: 31s } }", "1:39: grace is a duration such as 10s or 1h30m, from 0ms to 30s")]
    [InlineData("services: { a: { command: [x], grace: 99999999999999999999d } }", "1:39: grace is a duration such as 10s or 1h30m, from 0ms to 30s")]
    [InlineData("services: { a: { command: [x], after: [b] } }", "1:40: a comes after b, which is no service")]
    [InlineData("services: { a: { command: [x], after: b } }", "1:39: after is a list of texts, such as [a, b]")]
    [InlineData("services: { a: { command: [x], after: [a] } }", "1:40: a would have to come after itself: a after a")]
    public void One_mistake_is_one_line_with_its_place(string yaml, string expected)
    {
        using var folder = new ConfigFolder(yaml);

        Assert.Equal([$"agent.yaml:{expected}"], folder.Mistakes());
    }

    /// CL-2: what makes a file mean something else than it says is refused.
    [Theory]
    [InlineData("services:\n  a: { command: [x] }\n  a: { command: [y] }", "3:3: a was given at agent.yaml:2:3 already")]
    [InlineData("services:\n  a: &base { command: [x] }", "2:6: an anchor; aliases are refused, too")]
    [InlineData("services: { a: { command: !!str [x] } }", "1:27: a tag; every value is what its key says")]
    [InlineData("services:\n---\nservices:\n", "2:1: a second document; there may be only one")]
    [InlineData("services: { ? [a] : b }", "1:15: a key is a text")]
    public void Clever_yaml_is_refused(string yaml, string expected)
    {
        using var folder = new ConfigFolder(yaml);

        Assert.Equal([$"agent.yaml:{expected}"], folder.Mistakes());
    }

    /// CL-2: an alias is refused where it stands, and nothing is told twice because of it.
    [Fact]
    public void An_alias_is_told_once()
    {
        using var folder = new ConfigFolder("services:\n  a: &base { command: [x] }\n  b: *base\n");

        Assert.Equal(
            [
                "agent.yaml:2:6: an anchor; aliases are refused, too",
                "agent.yaml:3:6: an alias; write the value itself",
            ],
            folder.Mistakes());
    }

    /// CL-2: a ring of services is told at each of its links, with the way round.
    [Fact]
    public void A_cycle_is_told_with_its_way_round()
    {
        using var folder = new ConfigFolder("""
            services:
              a: { command: [x], after: [b] }
              b: { command: [x], after: [c] }
              c: { command: [x], after: [a] }
              d: { command: [x], after: [a] }
            """);

        Assert.Equal(
            [
                "agent.yaml:2:30: a would have to come after itself: a after b after c after a",
                "agent.yaml:3:30: b would have to come after itself: b after c after a after b",
                "agent.yaml:4:30: c would have to come after itself: c after a after b after c",
            ],
            folder.Mistakes());
    }

    /// CL-2: everything wrong is told at once, over all files, in their order.
    [Fact]
    public void All_mistakes_are_told_together()
    {
        using var folder = new ConfigFolder("runtime:\n  kep: always\nservices:\n  a:\n    command: 5\n    grace: soon\n");
        folder.Write("conf.d/b.yaml", "services:\n  b:\n    comand: [x]\n");
        folder.Write("conf.d/c.yaml", "services: [");

        var mistakes = folder.Mistakes();

        Assert.Equal(
            [
                "agent.yaml:2:3: unknown key \"kep\", known here: keep, searchPath, dataRoot, socket, containerdSocket, startTimeout",
                "agent.yaml:5:14: command is a list of texts, such as [a, b]",
                "agent.yaml:6:12: grace is a duration such as 10s or 1h30m, from 0ms to 30s",
            ],
            mistakes.Take(3));
        Assert.StartsWith("conf.d/b.yaml:3:5: unknown key \"comand\"", mistakes[3], StringComparison.Ordinal);
        Assert.Equal("conf.d/b.yaml:2:3: the service b needs a command, such as [/usr/bin/program, argument]", mistakes[4]);
        Assert.StartsWith("conf.d/c.yaml:2:1: ", mistakes[5], StringComparison.Ordinal);
        Assert.Equal(6, mistakes.Count);
    }

    /// CL-2: the list ends where it helps nobody.
    [Fact]
    public void No_more_than_a_hundred_are_told()
    {
        using var folder = new ConfigFolder(string.Concat(Enumerable.Range(0, 300).Select(n => $"key{n}: 1\n")));

        Assert.Equal(Mistakes.Most, folder.Mistakes().Count);
    }

    /// SE-1: limits on input: size, depth, number of drop-ins, encoding.
    [Fact]
    public void A_file_that_is_too_large_is_not_read()
    {
        using var folder = new ConfigFolder(new string('#', YamlFile.MaxBytes) + "\n");

        Assert.Equal(["agent.yaml: larger than 1048576 bytes"], folder.Mistakes());
    }

    /// SE-1: a million brackets end at the sixteenth.
    [Fact]
    public void A_file_that_is_too_deep_is_refused_at_once()
    {
        using var folder = new ConfigFolder("runtime: " + new string('[', YamlFile.MaxBytes - 100));

        Assert.Equal(["agent.yaml:1:25: nested deeper than 16 levels"], folder.Mistakes());
    }

    /// SE-1: what stands behind a NUL would otherwise go unseen, and bytes that are no text would be guessed at.
    [Theory]
    [InlineData("services: {}\n\0runtime: { keep: always }\n", "holds a NUL at byte 13")]
    [InlineData("services: {} # \u00ff", "is no UTF-8 at byte 15")]
    public void Bytes_that_are_no_text_are_refused(string latin, string expected)
    {
        using var folder = new ConfigFolder();
        File.WriteAllBytes(folder.File, Encoding.Latin1.GetBytes(latin));

        Assert.Equal([$"agent.yaml: {expected}"], folder.Mistakes());
    }

    /// SE-1: a directory full of files is no configuration.
    [Fact]
    public void More_drop_ins_than_anybody_has_are_refused()
    {
        using var folder = new ConfigFolder("");
        for (var n = 0; n <= ConfigReader.MaxFiles; n++) folder.Write($"conf.d/{n}.yaml", "");

        Assert.Equal(["conf.d: more than 256 files"], folder.Mistakes());
    }
}
