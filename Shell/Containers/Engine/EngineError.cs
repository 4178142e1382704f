using System;
using System.Text.Json;
using Agent.Shell.Effects;
using Agent.Shell.Observability;

namespace Agent.Shell.Containers.Engine;

/// <summary>The engine's own words for what went wrong.</summary>
internal static class EngineError
{
    /// <summary>Reads a refusal's body, `{"message": …}`; whatever it is, there is something to tell.</summary>
    public static string Read(ReadOnlyMemory<byte> body, int status)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.Text("message") is { Length: > 0 } message) return Cut(message);
        }
        catch (JsonException)
        {
            // Whoever speaks there is no engine; its status is all there is to say.
        }

        return FormattableString.Invariant($"the engine answers with status {status} and no reason");
    }

    public static string Cut(string message) => BoundedText.Reason(message.Trim());
}
