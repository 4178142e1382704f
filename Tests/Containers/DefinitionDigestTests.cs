using System;
using System.Collections.Generic;
using System.Linq;
using Agent.Core.Container;
using Agent.Shell.Containers;
using Xunit;

namespace Agent.Tests.Containers;

/// <summary>What makes a container another one, and what does not.</summary>
public sealed class DefinitionDigestTests
{
    private static readonly byte[] Key = [1, 2, 3];

    private static ContainerDefinition Base => new(Rig.Uid("web"), "image:1")
    {
        Command = ["a", "b"],
        Environment = new Dictionary<string, string> { ["A"] = "1", ["B"] = "2" },
    };

    /// CT-3: the digest is the same for the same definition, whatever the order of its maps; another key is another one.
    [Fact]
    public void The_same_definition_has_the_same_digest()
    {
        var turned = Base with { Environment = new Dictionary<string, string> { ["B"] = "2", ["A"] = "1" } };
        Assert.Equal(DefinitionDigest.Of(Base, Key), DefinitionDigest.Of(turned, Key));
        Assert.NotEqual(DefinitionDigest.Of(Base, Key), DefinitionDigest.Of(Base, [4]));
        Assert.Matches("^[0-9a-f]{64}$", DefinitionDigest.Of(Base, Key));
    }

    /// CT-3, CT-6: an agent of another build replaces no container: the digest of what could be declared yesterday stays as it
    /// is. Upstream: defaults unchanged (quadlet).
    [Fact]
    public void A_new_build_makes_nothing_anew()
    {
        var whole = Base with
        {
            Labels = new Dictionary<string, string> { ["team"] = "shop" },
            Ports = [new("127.0.0.1", 8080, 80, "tcp")],
            Mounts =
            [
                new(MountKind.Bind, "/srv", "/data", ReadOnly: true), new(MountKind.Volume, "kept", "/kept", ReadOnly: false),
                new(MountKind.External, "theirs", "/theirs", ReadOnly: false),
                new(MountKind.Tmpfs, "", "/run", ReadOnly: false, 1 << 20),
            ],
            Healthcheck = new(["CMD", "x"], TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(3), 4),
            Limits = new(64 << 20, 500, 50),
        };
        Assert.Equal("035b2b4d783ef4e6cc000650b7575cfd1a31a409d48e4992d5c630b7cf46d5d6", DefinitionDigest.Of(Base, Key));
        Assert.Equal("bd14ad35a924ab0142e26df591c84361177564155f9096a9b099429ddbba894f", DefinitionDigest.Of(whole, Key));
    }

    /// CT-2, CT-3: each part that the engine makes the container of changes the digest, and no two changes are the same.
    [Fact]
    public void Each_part_of_the_container_changes_it()
    {
        ContainerDefinition[] others =
        [
            Base,
            Base with { Image = "image:2" },
            Base with { Command = ["a b"] },
            Base with { Command = null },
            Base with { Command = null, Entrypoint = ["a", "b"] },
            Base with { Environment = new Dictionary<string, string> { ["A"] = "1" } },
            Base with { Labels = new Dictionary<string, string> { ["A"] = "1" } },
            Base with { ExtraHosts = [new("A", "1")] },
            Base with { Ports = [new("", 80, 80, "tcp")] },
            Base with { Ports = [new("", null, 80, "tcp")] },
            Base with { Mounts = [new(MountKind.Volume, "a", "/b", false)] },
            Base with { Mounts = [new(MountKind.Volume, "a", "/b", true)] },
            Base with { User = "x" },
            Base with { WorkingDirectory = "x" },
            Base with { Hostname = "x" },
            Base with { NetworkMode = "host" },
            Base with { StopSignal = "x" },
            Base with { Healthcheck = new(["CMD", "x"], null, null, null, null) },
            Base with { Healthcheck = new(["CMD", "x"], TimeSpan.FromSeconds(1), null, null, null) },
            Base with { Limits = new(1, null, null) },
            Base with { Limits = new(null, 1, null) },
            Base with { AddedCapabilities = ["X"] },
            Base with { DroppedCapabilities = ["X"] },
            Base with { ReadOnlyRoot = true },
            Base with { Init = true },
        ];
        Assert.Equal(others.Length, others.Select(one => DefinitionDigest.Of(one, Key)).Distinct(StringComparer.Ordinal).Count());
    }

    /// CT-3: what only the agent goes by recreates nothing.
    [Fact]
    public void The_agents_own_business_leaves_it()
    {
        var other = Base with
        {
            Restart = ContainerRestart.Always,
            Pull = PullPolicy.Always,
            StopGrace = TimeSpan.FromSeconds(99),
            DependsOn = [new(Rig.Uid("db"), DependencyCondition.Healthy)],
        };
        Assert.Equal(DefinitionDigest.Of(Base, Key), DefinitionDigest.Of(other, Key));
    }

    /// CT-1: an image's name is taken apart as registries do, and what could mean another call is refused.
    [Theory]
    [InlineData("web", "web", "latest")]
    [InlineData("web:1.2", "web", "1.2")]
    [InlineData("registry:5000/a/b", "registry:5000/a/b", "latest")]
    [InlineData("registry:5000/a/b:c", "registry:5000/a/b", "c")]
    [InlineData("a/b@sha256:00ff", "a/b", "sha256:00ff")]
    [InlineData("a/b:1@sha256:00ff", "a/b", "sha256:00ff")]
    [InlineData("", null, null)]
    [InlineData("../x", null, null)]
    [InlineData("a/../x", null, null)]
    [InlineData("a?b=c", null, null)]
    [InlineData("a:", null, null)]
    [InlineData("a b", null, null)]
    [InlineData("a#b", null, null)]
    public void An_image_has_a_name_and_a_version(string text, string? repository, string? version)
    {
        var read = ImageReference.Parse(text);
        Assert.Equal((repository, version), (read?.Repository, read?.Version));
    }
}
