using System;
using System.Linq;
using Agent.Core.Process;
using Xunit;

namespace Agent.Tests.Import;

/// CL-1: what supervisord's settings mean, setting by setting.
public sealed class SupervisordImportTests
{
    /// CL-1: its three words for restarting, and what it does without one.
    [Theory]
    [InlineData("autorestart=true", RestartPolicy.Always)]
    [InlineData("autorestart=Unexpected", RestartPolicy.OnFailure)]
    [InlineData("autorestart=no", RestartPolicy.Never)]
    [InlineData("", RestartPolicy.OnFailure)]
    public void Its_restarting_is_kept(string setting, RestartPolicy policy)
    {
        using var folder = new ImportFolder();
        Assert.Equal(policy, Assert.Single(folder.Programs($"[program:a]\ncommand=/bin/a\n{setting}\n")).Spec.Restart);
    }

    /// CL-1: its stop, whose grace is ten seconds by itself and half a minute at most here.
    [Theory]
    [InlineData("", Signal.Term, 10)]
    [InlineData("stopsignal=SIGUSR1\nstopwaitsecs=3", Signal.Usr1, 3)]
    [InlineData("stopwaitsecs=600", Signal.Term, 30)]
    public void Its_stop_is_kept(string settings, Signal signal, int grace)
    {
        using var folder = new ImportFolder();
        var spec = Assert.Single(folder.Programs($"[program:a]\ncommand=/bin/a\n{settings}\n")).Spec;
        Assert.Equal((signal, TimeSpan.FromSeconds(grace)), (spec.StopSignal, spec.Grace));
    }

    /// CL-1: several processes are several services, each with its number.
    [Fact]
    public void Several_processes_are_several_services()
    {
        using var folder = new ImportFolder();
        var services = folder.Programs("""
            [program:w]
            command=/bin/w --id %(process_num)d of %(numprocs)s
            process_name=%(program_name)s-%(process_num)02d
            numprocs=2
            numprocs_start=9
            """);
        Assert.Equal(["w-09", "w-10"], services.Select(one => one.Spec.Label));
        Assert.Equal(["/bin/w", "--id", "10", "of", "2"], services[1].Spec.Command.ToArray());
    }

    /// CL-1: those of one priority come after those of the one before.
    [Fact]
    public void Priorities_are_an_order()
    {
        using var folder = new ImportFolder();
        var services = folder.Programs("""
            [program:last]
            command=/bin/a
            [program:first]
            command=/bin/a
            priority=1
            [program:off]
            command=/bin/a
            priority=2
            autostart=false
            [program:second]
            command=/bin/a
            priority=3
            """).ToDictionary(one => one.Spec.Label, one => one.Spec.After.ToArray());
        Assert.Equal(["first", "last", "second"], services.Keys.Order(StringComparer.Ordinal));
        Assert.Empty(services["first"]);
        Assert.Equal(["first"], services["second"]);
        Assert.Equal(["second"], services["last"]);
    }

    /// CL-1: an environment with commas, quotes and lines of its own; variables that no service may have are told.
    [Fact]
    public void Its_environment_is_kept_but_for_what_is_refused()
    {
        using var folder = new ImportFolder();
        var (services, notes) = folder.Import("supervisord.conf", """
            [supervisord]
            environment=A=all,B=all
            [program:a]
            command=/bin/a
            environment=B="x, \"y",
                C='it''s',LD_PRELOAD="/lib/x.so"
            """.Replace("\\\"", "'", StringComparison.Ordinal).Replace("it''s", "it is", StringComparison.Ordinal));
        var environment = Assert.Single(services).Environment;
        Assert.Equal(("all", "x, 'y", "it is"), (environment["A"], environment["B"], environment["C"]));
        Assert.DoesNotContain("LD_PRELOAD", environment.Keys);
        Assert.StartsWith("supervisord.conf:5 environment LD_PRELOAD: is refused", Assert.Single(notes), StringComparison.Ordinal);
    }

    /// CL-1: comments and lines that go on, as its own reader takes them.
    [Fact]
    public void Its_files_are_read_as_it_reads_them()
    {
        using var folder = new ImportFolder();
        var spec = Assert.Single(folder.Programs("""
            # whole
            [program:a]
            Command : /bin/a x;y ; behind a blank
            # between
              --more #and
              --last
            """)).Spec;
        Assert.Equal(["/bin/a", "x;y", "--more", "--last"], spec.Command.ToArray());
    }

    /// CL-1: what is malformed is told with its place, all at once, and nothing is imported.
    [Fact]
    public void What_is_malformed_is_told_with_its_place()
    {
        using var folder = new ImportFolder();
        Assert.Equal(
            [
                "supervisord.conf:1:1: stands before the first section; is this a supervisord.conf?",
                "supervisord.conf:3:1: \"nonsense\" is no key = value",
                "supervisord.conf:4:1: command: the quote \" is not closed",
                "supervisord.conf:5:1: stopsignal is TERM, HUP, INT, QUIT, KILL, USR1 or USR2",
                "supervisord.conf:6:1: stopwaitsecs is a whole number from 0 to 1000000",
                "supervisord.conf:8:1: numprocs: %(nothing)s is not known here",
                "supervisord.conf:8:1: numprocs is a whole number from 0 to 1024",
                "supervisord.conf:7:1: [program:b] needs a command",
            ],
            folder.Mistakes("supervisord.conf", """
                early=1
                [program:a]
                nonsense
                command="/bin/a
                stopsignal=SOON
                stopwaitsecs=-1
                [program:b]
                numprocs=%(nothing)s
                """));
    }

    /// CL-1: no more than the agent can keep, from files of bounded size.
    [Fact]
    public void It_is_bounded()
    {
        using var folder = new ImportFolder();
        var many = string.Concat(Enumerable.Range(0, 1025).Select(i => $"[program:p{i}]\ncommand=/bin/a\n"));
        Assert.Contains("more than 1024 services", folder.Mistakes("supervisord.conf", many)[0], StringComparison.Ordinal);
        Assert.Equal(
            ["supervisord.conf: larger than 1048576 bytes"], folder.Mistakes("supervisord.conf", new string('#', (1 << 20) + 1)));
        Assert.Equal(["supervisord.conf: holds a NUL at byte 3"], folder.Mistakes("supervisord.conf", "[a]\0"));
    }
}
