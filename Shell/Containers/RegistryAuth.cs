using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Text.Json;

namespace Agent.Shell.Containers;

/// <summary>
/// The file in which `docker login` keeps its logins: `auths`, by registry. It is read anew for each pull, so that a login
/// made meanwhile counts. A login in a helper program is out of reach: an agent runs no program that a file names.
/// </summary>
internal static class RegistryAuth
{
    /// <summary>A login takes some hundred bytes, a token some thousand.</summary>
    private const int MaxBytes = 1 << 20;

    private const string Hub = "docker.io";

    /// <summary>The name under which Docker's own registry is known to logins.</summary>
    private const string HubAddress = "https://index.docker.io/v1/";

    /// <summary>The login for the registry of this image; null where the file has none, or there is no file.</summary>
    /// <exception cref="ContainerException">The file cannot be used; the message says what to do.</exception>
    public static RegistryLogin? Find(string? path, string image) =>
        path is not null && ImageReference.Parse(image) is { } name
            && Read(path).TryGetValue(name.Registry ?? Hub, out var login) ? login : null;

    /// <summary>Why the file cannot be used; null where it can.</summary>
    public static string? WhyNot(string path)
    {
        try
        {
            Read(path);
            return null;
        }
        catch (ContainerException failure)
        {
            return failure.Message;
        }
    }

    private static Dictionary<string, RegistryLogin> Read(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(Bytes(path));
            return Logins(path, document.RootElement);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Refuse(path, failure.Message, failure);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or FormatException)
        {
            // What the reader says of a place could quote a part of a secret.
            throw Refuse(path, "it is not what `docker login` writes: { \"auths\": { \"REGISTRY\": { \"auth\": … } } }");
        }
    }

    private static byte[] Bytes(string path)
    {
        // The file that was looked at is the one that is read.
        using var file = File.OpenHandle(path);
        if ((File.GetUnixFileMode(file) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0)
        {
            throw Refuse(path, $"it holds passwords and is open to every user of this host: chmod 600 {path}");
        }

        var length = RandomAccess.GetLength(file);
        if (length > MaxBytes) throw Refuse(path, $"it is larger than {MaxBytes} bytes");
        var bytes = new byte[length];
        return RandomAccess.Read(file, bytes, 0) == length ? bytes : throw Refuse(path, "it changed while it was read");
    }

    private static Dictionary<string, RegistryLogin> Logins(string path, JsonElement root)
    {
        var logins = new Dictionary<string, RegistryLogin>(StringComparer.OrdinalIgnoreCase);
        if (!root.TryGetProperty("auths", out var auths)) return logins;
        foreach (var entry in auths.EnumerateObject())
        {
            var registry = RegistryOf(entry.Name);
            if (LoginOf(registry == Hub ? HubAddress : registry, entry.Value) is { } login) logins[registry] = login;
            else throw Refuse(path, $"it holds no login for {registry}; one in a helper program (credsStore) cannot be used");
        }

        return logins;
    }

    private static RegistryLogin? LoginOf(string registry, JsonElement entry)
    {
        if (TextOf(entry, "identitytoken") is { } token) return new(registry, "", "", token);
        if (TextOf(entry, "username") is { } name && TextOf(entry, "password") is { } password)
        {
            return new(registry, name, password, null);
        }

        if (TextOf(entry, "auth") is not { } auth) return null;
        var pair = Encoding.UTF8.GetString(Convert.FromBase64String(auth)).Split(':', 2);
        return pair.Length == 2 ? new(registry, pair[0], pair[1], null) : throw new FormatException();
    }

    private static string? TextOf(JsonElement entry, string name) =>
        entry.TryGetProperty(name, out var value) && value.GetString() is { Length: > 0 } text ? text : null;

    /// <summary>A registry's host and port: older logins are kept under an address.</summary>
    private static string RegistryOf(string key)
    {
        var scheme = key.IndexOf("://", StringComparison.Ordinal);
        var host = (scheme < 0 ? key : key[(scheme + 3)..]).Split('/')[0];
        return host is "index.docker.io" or "registry-1.docker.io" ? Hub : host;
    }

    private static ContainerException Refuse(string path, string why, Exception? cause = null) =>
        new(ContainerFault.Refused, $"{path} cannot be used for registries: {why}", cause);
}
