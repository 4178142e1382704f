using System.Diagnostics;
using System.Threading.Tasks;
using Agent.Tests.EndToEnd;
using Xunit;

namespace Agent.Tests.Cli;

/// CL-2: where a command takes from what it was not told.
public sealed class PlacesTests
{
    /// CL-2: whom a command asks, and as whom: the flag goes before the environment, and an empty variable is none.
    /// Upstream: server, token precedence (velosctl).
    [Theory]
    [InlineData("", "", "which plane?")]
    [InlineData("variable", "", "variable is no address of a plane")]
    [InlineData("variable", "--plane flag", "flag is no address of a plane")]
    [InlineData("", "--plane flag", "flag is no address of a plane")]
    [InlineData("https://localhost", "--identity /none/flag", "/none/flag does not hold")]
    [InlineData("https://localhost", "", "/none/variable does not hold")]
    public async Task A_flag_goes_before_the_environment(string plane, string flags, string told)
    {
        var start = new ProcessStartInfo(AgentUnderTest.Binary, $"fleet hosts {flags}") { RedirectStandardError = true };
        start.Environment["AGENT_PLANE"] = plane;
        start.Environment["AGENT_IDENTITY"] = "/none/variable";
        using var command = Process.Start(start)!;
        var error = await command.StandardError.ReadToEndAsync();
        await command.WaitForExitAsync();
        Assert.NotEqual(0, command.ExitCode);
        Assert.Contains(told, error, System.StringComparison.Ordinal);
    }
}
