using Agent.Core.Model;

namespace Agent.Specs.Tools;

/// <summary>Readable ids.</summary>
public static class Ids
{
    public static ProcessId Of(string text) =>
        ProcessId.Parse(text).IfNone(() => throw new InvalidOperationException($"'{text}' is no id"));
}
