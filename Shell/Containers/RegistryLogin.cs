using System;
using System.Buffers;
using System.Text.Json;

namespace Agent.Shell.Containers;

/// <summary>
/// Who this host is to a registry: a name and a password, or a token in their place. It goes to the engine with a pull and
/// nowhere else; printed it tells the registry alone.
/// </summary>
internal sealed class RegistryLogin(string registry, string name, string password, string? token)
{
    /// <summary>What an engine wants in the header `X-Registry-Auth` of a pull.</summary>
    public string Header()
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            if (token is null) json.WriteString("username", name);
            if (token is null) json.WriteString("password", password);
            if (token is not null) json.WriteString("identitytoken", token);
            json.WriteString("serveraddress", registry);
            json.WriteEndObject();
        }

        // Engines read base64 of the kind for addresses, with its padding.
        return Convert.ToBase64String(text.WrittenSpan).Replace('+', '-').Replace('/', '_');
    }

    public override string ToString() => $"a login at {registry}";
}
