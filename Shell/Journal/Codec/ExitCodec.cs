using Agent.Core.Model;
using Agent.Core.Process;

namespace Agent.Shell.Journal.Codec;

/// <summary>The written form of how processes end.</summary>
internal static class ExitCodec
{
    public static JsonOut Write(JsonOut to, ExitStatus status) => status switch
    {
        ExitStatus.Exited(var code) => to.Begin("exited"u8).Number("code"u8, code).End(),
        ExitStatus.Signaled(var number) => to.Begin("signaled"u8).Number("signal"u8, number).End(),
        ExitStatus.OutOfMemory => to.Begin("outOfMemory"u8).End(),
        ExitStatus.Lost => to.Begin("lost"u8).End(),
        ExitStatus.NeverRan(var code, var detail) =>
            to.Begin("neverRan"u8).Text("code"u8, code).Text("detail"u8, detail).End(),
    };

    public static ExitStatus NamedStatus(ref JsonIn from)
    {
        from.Name("status"u8);
        var type = from.BeginTyped();
        ExitStatus status = type switch
        {
            "exited" => new ExitStatus.Exited(from.Int("code"u8)),
            "signaled" => new ExitStatus.Signaled(from.Int("signal"u8)),
            "outOfMemory" => new ExitStatus.OutOfMemory(),
            "lost" => new ExitStatus.Lost(),
            "neverRan" => new ExitStatus.NeverRan(from.Text("code"u8), from.Text("detail"u8)),
            _ => throw new UnknownRecordException($"exit status \"{type}\"", from.Consumed),
        };
        from.End();
        return status;
    }

    public static JsonOut Write(JsonOut to, ProcessExit exit) => Write(to.Begin().Name("status"u8), exit.Status)
        .Text("reason"u8, Names.Of(exit.Reason)).Span("cpuMs"u8, exit.Cpu)
        .Number("peakMemoryBytes"u8, exit.PeakMemoryBytes).End();

    public static ProcessExit ReadExit(ref JsonIn from)
    {
        from.Begin();
        var exit = new ProcessExit(
            NamedStatus(ref from), Names.Reason(from.Text("reason"u8)), from.Span("cpuMs"u8),
            from.Number("peakMemoryBytes"u8));
        from.End();
        return exit;
    }
}
