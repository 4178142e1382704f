using System;
using System.IO;
using System.Linq;
using System.Text;
using Agent.Shell.Config;
using Agent.Shell.Containers.Compose;
using Xunit;

namespace Agent.Tests.Containers;

/// <summary>What a Compose file may not say, and how it is told: file, line, column, key.</summary>
public sealed class ComposeMistakesTests
{
    /// CT-9: one mistake is one line with its place.
    [Theory]
    [InlineData("services: { a: { image: x, imagge: y } }", "1:28: unsupported key \"imagge\", known here: image, command")]
    // Upstream: image-xor-build (manifest), build when absent, when present, relative context (prod_orchestrator).
    [InlineData("services: { a: { image: x, build: . } }", "1:28: build is not supported: an image is built elsewhere")]
    // Upstream: three naming tiers (prod_orchestrator): here a container has one name, of its instance and its uid.
    [InlineData("services: { a: { image: x, container_name: y } }", "1:28: container_name is not supported: a container's name")]
    [InlineData("networks: {}", "1:1: networks is not supported: the containers share one network")]
    [InlineData("sevices: {}", "1:1: unsupported key \"sevices\", known here: services, volumes, secrets, name, version")]
    [InlineData("- a", "1:1: a Compose file is a map of keys")]
    [InlineData("services: [a]", "1:11: services is a map of keys")]
    // Upstream: nameless rejected (server).
    [InlineData("services: { '': { image: x } }", "1:13: \"\" is no name of a service")]
    [InlineData("services: { a b: { image: x } }", "1:13: \"a b\" is no name of a service")]
    [InlineData("services: { a: {} }", "1:13: the service a needs an image")]
    [InlineData("services: { a: { image: 'x y' } }", "1:25: \"x y\" is no name of an image")]
    [InlineData("services: { a: { image: x, command: \"say 'hi\" } }", "1:37: command: the quote ' is not closed")]
    [InlineData("services: { a: { image: x, command: { a: b } } }", "1:37: command is a text")]
    [InlineData("services: { a: { image: x, environment: { A: [b] } } }", "1:46: environment A is a text")]
    [InlineData("services: { a: { image: x, environment: [=b] } }", "1:42: \"\" is no name of a variable")]
    [InlineData("services: { a: { image: x, environment: [\"A=\\0\"] } }", "1:42: each item of environment holds a NUL character")]
    [InlineData("services: { a: { image: x, env_file: no.env } }", "1:38: there is no file no.env")]
    [InlineData("services: { a: { image: x, ports: [0] } }", "1:36: a port is written as 8080:80 or 127.0.0.1:8080:80/tcp")]
    [InlineData("services: { a: { image: x, ports: ['80:80:80:80'] } }", "1:36: a port is written as")]
    [InlineData("services: { a: { image: x, ports: [80/icmp] } }", "1:36: a port is written as")]
    [InlineData("services: { a: { image: x, ports: ['1-3:1-2'] } }", "1:36: a range of ports is published as one of the same length")]
    [InlineData("services: { a: { image: x, ports: [1-9999] } }", "1:36: a port is written as")]
    [InlineData("services: { a: { image: x, ports: [{ published: 1 }] } }", "1:36: a port needs a target")]
    [InlineData("services: { a: { image: x, ports: [{ target: 1, mode: host }] } }", "1:49: mode is not supported: a port is published on this host")]
    [InlineData("services: { a: { image: x, ports: 80 } }", "1:35: ports is a list of texts")]
    [InlineData("services: { a: { image: x, network_mode: none, ports: [80] } }", "1:13: the service a publishes ports and has network_mode none")]
    [InlineData("services: { a: { image: x, volumes: ['data:/d'] } }", "1:38: there is no volume data; declare it in volumes")]
    [InlineData("services: { a: { image: x, volumes: ['./d:d'] } }", "1:38: \"d\" is no absolute path inside the container")]
    [InlineData("services: { a: { image: x, volumes: ['./d:/d:z'] } }", "1:38: a volume is written as source:target")]
    [InlineData("services: { a: { image: x, volumes: [{ type: bind, target: /d }] } }", "1:38: a volume needs a type and a target")]
    [InlineData("services: { a: { image: x, tmpfs: run } }", "1:35: \"run\" is no absolute path inside the container")]
    [InlineData("services: { a: { image: x, secrets: [db] } }", "1:38: there is no secret db")]
    [InlineData("secrets: { db: { file: no } }", "1:12: there is no file no")]
    [InlineData("secrets: { db: { external: true, file: compose.yaml } }", "1:18: external is not supported: a secret is a file of this host")]
    [InlineData("volumes: { d: { driver: nfs } }", "1:17: driver is not supported: make such a volume yourself")]
    [InlineData("volumes: { d: { name: e } }", "1:15: the volume d has its name from this agent")]
    [InlineData("services: { a: { image: x, restart: on-failure:3 } }", "1:37: restart is one of no, always, on-failure, unless-stopped")]
    [InlineData("services: { a: { image: x, healthcheck: { test: [x] } } }", "1:49: test is a line for a shell, or a list")]
    [InlineData("services: { a: { image: x, healthcheck: { interval: 5 } } }", "1:53: interval is a duration such as 10s or 1h30m")]
    [InlineData("services: { a: { image: x, healthcheck: { retries: 0 } } }", "1:52: retries is a whole number from 1 to 1000")]
    [InlineData("services: { a: { image: x, depends_on: [b] } }", "1:28: a depends on b, which is no service")]
    [InlineData("services: { a: { image: x, depends_on: [a] } }", "1:28: a would have to wait for itself")]
    [InlineData("services: { a: { image: x, depends_on: { a: { condition: healthy } } } }", "1:58: condition is one of service_started")]
    [InlineData("services: { a: { image: x, labels: { agent.uid: b } } }", "1:38: the label agent.uid is this agent's own")]
    [InlineData("services: { a: { image: x, deploy: { replicas: 3 } } }", "1:38: replicas is not supported: a service is one container")]
    [InlineData("services: { a: { image: x, mem_limit: 1m } }", "1:39: mem_limit is a size such as 512m or 1g, at least 6 MiB")]
    [InlineData("services: { a: { image: x, cpus: 0 } }", "1:34: cpus is a number such as 0.5 or 2")]
    [InlineData("services: { a: { image: x, extra_hosts: [b] } }", "1:42: extra_hosts has entries such as name:10.0.0.1")]
    [InlineData("services: { a: { image: x, network_mode: 'service:b' } }", "1:42: network_mode is one of none, host, bridge")]
    [InlineData("services: { a: { image: x, read_only: yes } }", "1:39: read_only is one of true, false")]
    [InlineData("services: { a: { image: x, stop_grace_period: 1h } }", "1:47: stop_grace_period is a duration")]
    [InlineData("services: { a: { image: '$NO' } }", "1:25: NO is not set; ${NO:-} may be empty")]
    [InlineData("services: { a: { image: '${NO:?name the image}' } }", "1:25: NO is not set: name the image")]
    [InlineData("services: { a: { image: '${NO' } }", "1:25: a ${ is not closed")]
    [InlineData("services: { a: { image: '$5' } }", "1:25: a $ begins a variable")]
    [InlineData("services: { a: { image: '${A!b}' } }", "1:25: ${A…} is written as ${A}")]
    [InlineData("services: &a { a: { image: x } }", "1:11: an anchor; aliases are refused, too")]
    public void One_mistake_is_one_line_with_its_place(string yaml, string expected)
    {
        using var folder = new ComposeFolder(yaml);
        Assert.StartsWith($"compose.yaml:{expected}", folder.Mistakes()[0], StringComparison.Ordinal);
    }

    /// CT-9: all mistakes are told at once, those of the files beside it in their own name.
    [Fact]
    public void All_are_told_at_once()
    {
        using var folder = new ComposeFolder("""
            services:
              a:
                image: x
                env_file: [a.env]
                privileged: true
              b: { ports: [x] }
            """);
        folder.Write(".env", "1A=b\n");
        folder.Write("a.env", "A='b\nB=\"c\" d\nok=1\n");
        Assert.Equal(
            [
                ".env:1:1: a line is NAME=value, and a name has letters, digits and _",
                "a.env:1:1: the quote ' is not closed on its line",
                "a.env:2:1: something stands behind the closing quote",
                "compose.yaml:5:5: privileged is not supported: name the capabilities that it needs in cap_add",
                "compose.yaml:6:16: a port is written as 8080:80 or 127.0.0.1:8080:80/tcp, from 1 to 65535, \"x\" is not",
                "compose.yaml:6:3: the service b needs an image",
            ],
            folder.Mistakes());
    }

    /// CT-9: what stands in a file of variables may be a secret, and a dollar in it that begins a variable is told by its
    /// place alone.
    [Theory]
    [InlineData("pa$word1")]
    [InlineData("\"pa$word1\"")]
    [InlineData("pa${word1")]
    [InlineData("pa${!word1}")]
    [InlineData("pa${x!word1}")]
    [InlineData("pa${x:?word1}")]
    [InlineData("pa${x:-${word1}}")]
    public void A_secrets_part_is_not_told(string value)
    {
        using var folder = new ComposeFolder("services: { a: { image: x, env_file: [a.env] } }");
        folder.Write(".env", $"A=b\nPASSWORD={value}\n");
        folder.Write("a.env", $"PASSWORD={value}\n");
        var mistakes = folder.Mistakes();
        Assert.Equal(2, mistakes.Count);
        Assert.StartsWith(".env:2:1: a variable in the value is not set", mistakes[0], StringComparison.Ordinal);
        Assert.StartsWith("a.env:1:1: a variable in the value is not set", mistakes[1], StringComparison.Ordinal);
        Assert.DoesNotContain(mistakes, one => one.Contains("word", StringComparison.Ordinal));
    }

    /// CT-9: variables that grow out of each other are bounded.
    [Fact]
    public void Growth_is_bounded()
    {
        using var folder = new ComposeFolder("services: {}");
        var lines = new StringBuilder("A0=xxxxxxxxxxxxxxxx\n");
        for (var i = 1; i < 60; i++) lines.Append($"A{i}=$A{i - 1}$A{i - 1}\n");
        folder.Write(".env", lines.ToString());
        Assert.Contains("longer than 65536 characters", folder.Mistakes()[0], StringComparison.Ordinal);
    }

    /// CT-9: a file that cannot be read is a mistake like others.
    [Fact]
    public void A_missing_file_is_a_mistake()
    {
        using var folder = new ComposeFolder();
        Assert.StartsWith("compose.yaml: Could not find file", Assert.Single(folder.Mistakes()), StringComparison.Ordinal);
    }

    /// CT-9: whatever the file holds, there are definitions or mistakes, and never an exception: ten thousand broken
    /// variants of a good one.
    [Fact]
    public void No_file_is_too_broken()
    {
        using var folder = new ComposeFolder();
        var good = Encoding.UTF8.GetBytes(File.ReadAllText(GoodFile(folder)));
        var random = new Random(20261121);
        string[] tokens =
        [
            "{", "}", "[", "]", ":", "\n", "- ", "&a ", "*a ", "!!int ", "? ", "| ", "${", "$", "}", "\"", "'", "\0", "\t", "~",
            "services", "image", "ports", "99999999999999999999", "-1", "1-0", "::", "é", "\uFFFF", "<<: ", "---\n", "#",
        ];
        for (var i = 0; i < 10_000; i++)
        {
            var bytes = good.ToList();
            for (var edits = random.Next(1, 6); edits > 0; edits--)
            {
                var at = random.Next(bytes.Count);
                var kind = random.Next(4);
                if (kind == 0) bytes.RemoveRange(at, Math.Min(random.Next(1, 40), bytes.Count - at));
                else if (kind == 1) bytes.InsertRange(at, Encoding.UTF8.GetBytes(tokens[random.Next(tokens.Length)]));
                else if (kind == 2) bytes[at] = (byte)random.Next(256);
                else bytes.InsertRange(at, bytes.Skip(random.Next(bytes.Count)).Take(random.Next(60)).ToList());
                if (bytes.Count == 0) bytes.Add((byte)'a');
            }

            File.WriteAllBytes(folder.File, [.. bytes]);
            var mistakes = new Mistakes();
            var read = ComposeReader.Read(folder.File, folder.Environment, mistakes);
            Assert.NotNull(read);
            Assert.True(mistakes.Told.Count <= Mistakes.Most);
        }
    }

    private static string GoodFile(ComposeFolder folder)
    {
        folder.Write("seed.yaml", ComposeReaderTests.Whole);
        folder.Write("db.secret", "x");
        folder.Write("web.env", "A=b\n");
        return Path.Combine(folder.Path, "seed.yaml");
    }
}
