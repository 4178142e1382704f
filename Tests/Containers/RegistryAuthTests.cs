using System;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json.Nodes;
using Agent.Shell.Containers;
using Agent.Tests.Config;
using Xunit;

namespace Agent.Tests.Containers;

/// <summary>Logins at registries, as `docker login` writes them down.</summary>
public sealed class RegistryAuthTests : IDisposable
{
    private readonly ConfigFolder _folder = new();

    private string File => Path.Combine(_folder.Path, "config.json");

    public void Dispose() => _folder.Dispose();

    /// CT-1: each image is asked for with the login of its own registry, and an image of another with none.
    [Theory]
    [InlineData("registry.example:5000/team/web:1", """{"username":"me","password":"a:b","serveraddress":"registry.example:5000"}""")]
    [InlineData("web", """{"username":"hub","password":"pw","serveraddress":"https://index.docker.io/v1/"}""")]
    [InlineData("docker.io/team/web", """{"username":"hub","password":"pw","serveraddress":"https://index.docker.io/v1/"}""")]
    [InlineData("token.example/web@sha256:00", """{"identitytoken":"t0ken","serveraddress":"token.example"}""")]
    [InlineData("plain.example/web", """{"username":"you","password":"pass","serveraddress":"plain.example"}""")]
    [InlineData("registry.example/team/web:1", null)]
    [InlineData("localhost/web", null)]
    public void An_image_goes_with_its_registrys_login(string image, string? login)
    {
        Write($$"""
            { "auths": {
                "registry.example:5000": { "auth": "{{Base64("me:a:b")}}" },
                "https://index.docker.io/v1/": { "auth": "{{Base64("hub:pw")}}" },
                "token.example": { "auth": "{{Base64("<token>:")}}", "identitytoken": "t0ken" },
                "https://plain.example/v2/": { "username": "you", "password": "pass" }
              }, "HttpHeaders": { "User-Agent": "x" } }
            """);
        var found = RegistryAuth.Find(File, image);
        Assert.Equal(login, found is null ? null : Read(found.Header()).ToJsonString());
        if (found is not null) Assert.DoesNotContain(found.ToString()!, c => c is '<' or '{');
    }

    /// CT-1: no file, no login; and a file that was there is read anew, for a login made meanwhile counts.
    [Fact]
    public void The_file_is_read_for_each_pull()
    {
        Assert.Null(RegistryAuth.Find(null, "web"));
        Write("{}");
        Assert.Null(RegistryAuth.Find(File, "web"));
        Write($$"""{ "auths": { "docker.io": { "auth": "{{Base64("a:b")}}" } } }""");
        Assert.Equal("a login at https://index.docker.io/v1/", RegistryAuth.Find(File, "web")?.ToString());
    }

    /// CT-9, SE-1: what cannot be used is a mistake of the configuration with its place, what to do, and no secret.
    [Theory]
    [InlineData("open", "it holds passwords and is open to every user of this host: chmod 600 config.json")]
    [InlineData("missing", "Could not find file")]
    [InlineData("helper", "it holds no login for docker.io; one in a helper program (credsStore) cannot be used")]
    [InlineData("no json", "it is not what `docker login` writes")]
    [InlineData("no base64", "it is not what `docker login` writes")]
    [InlineData("no pair", "it is not what `docker login` writes")]
    [InlineData("a list", "it is not what `docker login` writes")]
    [InlineData("large", "it is larger than 1048576 bytes")]
    public void What_cannot_be_used_is_told_with_its_place(string what, string why)
    {
        if (what != "missing")
        {
            Write(what switch
            {
                "helper" => """{ "auths": { "https://index.docker.io/v1/": {} }, "credsStore": "secretservice" }""",
                "no json" => "s3cret",
                "no base64" => """{ "auths": { "docker.io": { "auth": "s3cret!" } } }""",
                "no pair" => $$"""{ "auths": { "docker.io": { "auth": "{{Base64("s3cret")}}" } } }""",
                "a list" => """{ "auths": [ "s3cret" ] }""",
                "large" => new string(' ', (1 << 20) + 1),
                _ => $$"""{ "auths": { "docker.io": { "auth": "{{Base64("me:s3cret")}}" } } }""",
            });
        }

        if (what == "open") System.IO.File.SetUnixFileMode(File, System.IO.File.GetUnixFileMode(File) | UnixFileMode.OtherRead);
        _folder.Write("agent.yaml", $"containers:\n  registryAuth: {File}\n");
        var told = Assert.Single(_folder.Mistakes());
        Assert.StartsWith("agent.yaml:2:17: config.json cannot be used for registries: ", told, StringComparison.Ordinal);
        Assert.Contains(why, told, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", told, StringComparison.Ordinal);
        Assert.DoesNotContain(Base64("me:s3cret"), told, StringComparison.Ordinal);
    }

    /// CT-1: what is in order is taken.
    [Fact]
    public void A_file_in_order_is_taken()
    {
        Write("{}");
        _folder.Write("agent.yaml", $"containers: {{ registryAuth: {File} }}");
        Assert.Equal(File, _folder.Read().Containers.RegistryAuth);
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static JsonNode Read(string header)
    {
        Assert.True(header.Length % 4 == 0 && header.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '='), header);
        return JsonNode.Parse(Convert.FromBase64String(header.Replace('-', '+').Replace('_', '/')))!;
    }

    private void Write(string json)
    {
        System.IO.File.WriteAllText(File, json);
        System.IO.File.SetUnixFileMode(File, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
    }
}
