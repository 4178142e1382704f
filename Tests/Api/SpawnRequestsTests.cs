using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Api;
using LanguageExt;
using Xunit;

namespace Agent.Tests.Api;

/// PR-1, PR-4, PR-15: what a spawn request becomes, and what is refused.
public sealed class SpawnRequestsTests
{
    private static readonly Principal User = new(1000);

    /// PR-1, upstream empty_injections_is_noop, v10_spawn_request_becomes_v11_with_empty_injections: the defaults of a
    /// task.
    [Fact]
    public void What_is_left_out_has_its_default()
    {
        var spec = Accept(new(Command: ["/bin/echo", "hello"])).Spec;
        Assert.Equal((ProcessKind.Task, "/bin/echo hello", ""), (spec.Kind, spec.Label, spec.EnvironmentDigest));
        Assert.Equal((StdinMode.None, Overflow.DropOldest, 1 << 20), (spec.Stdin, spec.Overflow, spec.RingBytes));
        Assert.Equal(TimeSpan.FromHours(6), spec.MaxLifetime.IfNone(TimeSpan.Zero));
        Assert.Equal(TimeSpan.FromMinutes(30), spec.IdleTimeout.IfNone(TimeSpan.Zero));
        Assert.Equal(TimeSpan.FromMinutes(5), spec.ExitRetention);
        Assert.Equal((Signal.Term, RestartPolicy.Never), (spec.StopSignal, spec.Restart));
        Assert.Equal(TimeSpan.FromSeconds(5), spec.Grace);
        Assert.True(spec.WorkingDirectory.IsNone && spec.User.IsNone && spec.After.IsEmpty);
    }

    [Fact]
    public void What_is_given_is_taken()
    {
        var environment = new Dictionary<string, string?> { ["LANG"] = "C.UTF-8" };
        var accepted = Accept(new(
            ["/bin/cat"], environment, "/tmp", "web", "cat", "none", "aGk=", "backpressure",
            65536, 1000, 2000, 3000, "int", 4000, "onFailure", new()));
        var spec = accepted.Spec;
        Assert.Equal(("cat", "/tmp", "web"), (spec.Label, spec.WorkingDirectory.IfNone(""), spec.User.IfNone("")));
        Assert.Equal((StdinMode.Prelude, Overflow.Backpressure, 65536), (spec.Stdin, spec.Overflow, spec.RingBytes));
        Assert.Equal(
            [1, 2, 3, 4],
            new[]
            {
                spec.MaxLifetime.IfNone(TimeSpan.Zero), spec.IdleTimeout.IfNone(TimeSpan.Zero), spec.ExitRetention,
                spec.Grace,
            }.Select(span => span.TotalSeconds));
        Assert.Equal((Signal.Interrupt, RestartPolicy.OnFailure), (spec.StopSignal, spec.Restart));
        Assert.Equal("C.UTF-8", accepted.Environment["LANG"]);
        Assert.Equal("hi", Encoding.UTF8.GetString(accepted.Prelude.Span));
    }

    /// PR-1: numbers out of bounds are clamped to them.
    [Fact]
    public void Numbers_are_clamped()
    {
        var least = Accept(new(
            ["x"], RingBytes: 0, MaxLifetimeMs: 1, IdleTimeoutMs: 1, ExitRetentionMs: 0, GraceMs: 0)).Spec;
        Assert.Equal(4 << 10, least.RingBytes);
        Assert.Equal((TimeSpan.FromSeconds(1), TimeSpan.Zero), (least.ExitRetention, least.Grace));
        var max = long.MaxValue;
        var most = Accept(new(
            ["x"], RingBytes: max, MaxLifetimeMs: max, IdleTimeoutMs: max, ExitRetentionMs: max, GraceMs: max)).Spec;
        Assert.Equal(8 << 20, most.RingBytes);
        Assert.Equal((TimeSpan.FromHours(1), TimeSpan.FromSeconds(30)), (most.ExitRetention, most.Grace));
        Assert.Equal(TimeSpan.FromHours(6), most.MaxLifetime.IfNone(TimeSpan.Zero));
        Assert.Equal(TimeSpan.FromHours(6), most.IdleTimeout.IfNone(TimeSpan.Zero));
    }

    public static TheoryData<string, string> Faults => new()
    {
        { "command", """{}""" },
        { "command", """{"command":[]}""" },
        { "command", """{"command":[""]}""" },
        { "command", """{"command":["x",null]}""" },
        { "command", """{"command":["x","a\u0000b"]}""" },
        { "env.1A", """{"command":["x"],"env":{"1A":"v"}}""" },
        { "env.A-B", """{"command":["x"],"env":{"A-B":"v"}}""" },
        { "env", """{"command":["x"],"env":{"":"v"}}""" },
        { "env.A", """{"command":["x"],"env":{"A":"a\u0000b"}}""" },
        { "env.A", """{"command":["x"],"env":{"A":null}}""" },
        { "cwd", """{"command":["x"],"cwd":"tmp"}""" },
        { "cwd", """{"command":["x"],"cwd":""}""" },
        { "cwd", """{"command":["x"],"cwd":"/missing"}""" },
        { "user", """{"command":["x"],"user":"-u"}""" },
        { "user", """{"command":["x"],"user":"a b"}""" },
        { "label", """{"command":["x"],"label":""}""" },
        { "label", """{"command":["x"],"label":"a\nb"}""" },
        { "stdin", """{"command":["x"],"stdin":"yes"}""" },
        { "prelude", """{"command":["x"],"prelude":"@"}""" },
        { "prelude", """{"command":["x"],"prelude":"aGk=","stdin":"open"}""" },
        { "overflow", """{"command":["x"],"overflow":"drop-oldest"}""" },
        { "ringBytes", """{"command":["x"],"ringBytes":-1}""" },
        { "maxLifetimeMs", """{"command":["x"],"maxLifetimeMs":0}""" },
        { "idleTimeoutMs", """{"command":["x"],"idleTimeoutMs":0}""" },
        { "exitRetentionMs", """{"command":["x"],"exitRetentionMs":-1}""" },
        { "graceMs", """{"command":["x"],"graceMs":-1}""" },
        { "stopSignal", """{"command":["x"],"stopSignal":"SIGTERM"}""" },
        { "restart", """{"command":["x"],"restart":"on-failure"}""" },
        { "limits.memoryBytes", """{"command":["x"],"limits":{"memoryBytes":1}}""" },
        { "limits.cpus", """{"command":["x"],"limits":{"cpus":0}}""" },
        { "limits.pids", """{"command":["x"],"limits":{"pids":0}}""" },
        { "limits.openFiles", """{"command":["x"],"limits":{"openFiles":7}}""" },
    };

    /// PR-1, PR-15, upstream validate_env_name_rejects_empty_and_specials,
    /// workspace_cwd_rejects_absolute_and_parent_escapes, environment_keys_are_strict_and_portable: each fault names
    /// its field; what cannot be enforced is refused. Upstream: capacity zero (veloslet).
    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_names_its_field(string field, string body)
    {
        var (request, _, fault) = StrictJson.Read(Encoding.UTF8.GetBytes(body), WireJson.Default.SpawnRequest);
        Assert.Null(fault);
        var refused = Assert.IsType<SpawnTranslation.Refused>(Translate(request!));
        Assert.Equal((field, "invalid-input"), (refused.Field, refused.Error.Code));
        Assert.StartsWith(field, refused.Detail, StringComparison.Ordinal);
    }

    /// PR-4: variables that load code into a program, and those of the agent itself.
    [Theory]
    [InlineData("LD_PRELOAD")]
    [InlineData("LD_")]
    [InlineData("DYLD_INSERT_LIBRARIES")]
    [InlineData("BASH_ENV")]
    [InlineData("ENV")]
    [InlineData("NODE_OPTIONS")]
    [InlineData("PYTHONPATH")]
    [InlineData("PYTHONHOME")]
    [InlineData("PERL5OPT")]
    [InlineData("RUBYOPT")]
    [InlineData("GCONV_PATH")]
    [InlineData("ZDOTDIR")]
    [InlineData("GLIBC_TUNABLES")]
    [InlineData("LOCPATH")]
    [InlineData("NLSPATH")]
    [InlineData("SHELLOPTS")]
    [InlineData("PS4")]
    [InlineData("AGENT_SOCKET")]
    [InlineData("PATH")]
    public void A_variable_that_loads_code_is_refused(string key)
    {
        var refused = Assert.IsType<SpawnTranslation.Refused>(
            Translate(new(["x"], new Dictionary<string, string?> { [key] = "v" })));
        Assert.Equal($"env.{key}", refused.Field);
    }

    /// PR-4, upstream duplicate_env_names_differing_only_by_case_are_rejected: on Linux these are two.
    [Fact]
    public void Names_in_other_letters_are_other_names() => Assert.Equal(
        new Dictionary<string, string> { ["A"] = "1", ["a"] = "2", ["Path"] = "3" },
        Accept(new(["x"], new Dictionary<string, string?> { ["A"] = "1", ["a"] = "2", ["Path"] = "3" })).Environment);

    /// PR-4, SE-1: what root's own helpers read before a process is its user's names no file.
    [Theory]
    [InlineData("LANGUAGE", "../../../tmp/x")]
    [InlineData("LANG", "/tmp/x")]
    [InlineData("LC_ALL", "de_DE/../x")]
    public void A_language_is_no_path(string key, string value)
    {
        var refused = Assert.IsType<SpawnTranslation.Refused>(
            Translate(new(["x"], new Dictionary<string, string?> { [key] = value })));
        Assert.Equal($"env.{key}", refused.Field);
        Assert.Single(Accept(new(["x"], new Dictionary<string, string?> { [key] = "de_DE.UTF-8" })).Environment);
    }

    /// PR-4, upstream validate_env_name_accepts_normal: a name that only begins or ends like one of those is a name like
    /// any other.
    [Theory]
    [InlineData("LDFLAGS")]
    [InlineData("MY_ENV")]
    [InlineData("ENVIRONMENT")]
    [InlineData("MANPATH")]
    [InlineData("PATH_INFO")]
    [InlineData("_x")]
    public void Other_variables_are_taken(string key) =>
        Assert.Single(Accept(new(["x"], new Dictionary<string, string?> { [key] = "v" })).Environment);

    /// PR-4, SE-1: limits hold at their very edge.
    [Fact]
    public void Limits_hold_at_their_edge()
    {
        AcceptUpTo(1024, count => new([.. Enumerable.Repeat("x", count)]));
        AcceptUpTo((128 << 10) - 1, length => new(["x", new string('y', length)]));
        AcceptUpTo((1 << 20) - 3 - (9 * 100_001), length => new(
            ["x", .. Enumerable.Repeat(new string('y', 100_000), 9), .. Pieces(length)]));
        AcceptUpTo(256, count => new(
            ["x"], Enumerable.Range(0, count).ToDictionary(i => $"V{i}", _ => (string?)"v")));
        AcceptUpTo(64 << 10, length => new(["x"], new Dictionary<string, string?> { ["A"] = new string('v', length) }));
        AcceptUpTo((1 << 20) - 3 - (16 * ((60 << 10) + 3)), length => new(["x"], Enumerable.Range(0, 17).ToDictionary(
            i => $"V{i:x2}", i => (string?)new string('v', i == 16 ? length : 60 << 10))));
        AcceptUpTo((64 << 10) - 3, length => new(["x", new string('y', length)]), User);
        AcceptUpTo(128, length => new(["x"], Label: new string('l', length)));
        AcceptUpTo(4 << 20, length => new(["x"], Prelude: Convert.ToBase64String(new byte[length])));
    }

    /// PR-1, upstream clamp_label_caps_bytes_not_chars, clamp_label_strips_control_and_derives_from_cmd: a command of
    /// control characters and of many bytes a character makes a clean, short label.
    [Fact]
    public void The_default_label_is_one_short_line_of_whole_characters()
    {
        Assert.Equal("a bc", Accept(new(["a", "b\n\u001b\u0085c"])).Spec.Label);
        var label = Accept(new(["x", string.Concat(Enumerable.Repeat("😀", 60))])).Spec.Label;
        Assert.Equal("x " + string.Concat(Enumerable.Repeat("😀", 31)), label);
        Assert.Equal(126, Encoding.UTF8.GetByteCount(label));
    }

    /// PR-3: who is not root runs as himself, and learns nothing of directories he may not see.
    [Fact]
    public void A_user_runs_as_himself()
    {
        var spec = Accept(new(["x"], Cwd: "/missing"), User).Spec;
        Assert.Equal((1000u, "1000"), (spec.Owner.Uid, spec.User.IfNone("")));
        Assert.Equal("/missing", spec.WorkingDirectory.IfNone(""));
        var refused = Assert.IsType<SpawnTranslation.Refused>(Translate(new(["x"], User: "root"), User));
        Assert.Equal(("user", "not-allowed"), (refused.Field, refused.Error.Code));
    }

    private static IEnumerable<string> Pieces(int length)
    {
        yield return new string('z', 100_000);
        yield return new string('z', length - 100_001);
    }

    private static void AcceptUpTo(int limit, Func<int, SpawnRequest> of, Principal by = default)
    {
        Assert.IsType<SpawnTranslation.Accepted>(Translate(of(limit), by));
        Assert.IsType<SpawnTranslation.Refused>(Translate(of(limit + 1), by));
    }

    private static SpawnTranslation.Accepted Accept(SpawnRequest request, Principal by = default) =>
        Assert.IsType<SpawnTranslation.Accepted>(Translate(request, by));

    private static SpawnTranslation Translate(SpawnRequest request, Principal by = default) =>
        SpawnRequests.Translate(request, by, path => path != "/missing");
}
