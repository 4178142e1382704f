using System;
using System.Formats.Tar;
using System.IO;
using System.Security.Cryptography;
using System.Threading.Tasks;

namespace Agent.Tests.Support;

/// <summary>
/// An image of nothing but busybox, as an engine would have saved it: made here, so that no registry is asked. Two with
/// different marks are different images.
/// </summary>
internal static class TinyImage
{
    private static readonly string[] Programs =
        ["sh", "sleep", "echo", "cat", "head", "tail", "true", "false", "wget", "httpd", "nc", "touch", "test", "ls", "id"];

    public static async Task<MemoryStream> ArchiveAsync(string reference, string mark = "")
    {
        var layer = await LayerAsync(mark);
        var id = Convert.ToHexStringLower(SHA256.HashData(layer));
        var config = $$"""
            {
              "architecture": "amd64", "os": "linux", "created": "2020-01-01T00:00:00Z",
              "config": { "Env": ["PATH=/bin"] },
              "rootfs": { "type": "layers", "diff_ids": ["sha256:{{id}}"] }
            }
            """;
        var manifest = $$"""[{"Config":"config.json","RepoTags":["{{reference}}"],"Layers":["layer.tar"]}]""";
        var archive = new MemoryStream();
        await using (var writer = new TarWriter(archive, leaveOpen: true))
        {
            await WriteAsync(writer, "config.json", new MemoryStream(System.Text.Encoding.UTF8.GetBytes(config)));
            await WriteAsync(writer, "layer.tar", new MemoryStream(layer));
            await WriteAsync(writer, "manifest.json", new MemoryStream(System.Text.Encoding.UTF8.GetBytes(manifest)));
        }

        archive.Position = 0;
        return archive;
    }

    /// <summary>The files of the image alone.</summary>
    public static async Task<byte[]> LayerAsync(string mark = "")
    {
        using var tar = new MemoryStream();
        await using (var writer = new TarWriter(tar, leaveOpen: true))
        {
            foreach (var directory in (string[])["bin", "tmp", "etc"])
            {
                var entry = new PaxTarEntry(TarEntryType.Directory, directory) { Mode = (UnixFileMode)0x1FF };
                await writer.WriteEntryAsync(entry);
            }

            await writer.WriteEntryAsync("/bin/busybox", "bin/busybox");
            foreach (var name in Programs)
            {
                await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.SymbolicLink, $"bin/{name}") { LinkName = "busybox" });
            }

            await WriteAsync(writer, "etc/mark", new MemoryStream(System.Text.Encoding.UTF8.GetBytes(mark)));
        }

        return tar.ToArray();
    }

    private static async Task WriteAsync(TarWriter writer, string name, MemoryStream content) =>
        await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = content });
}
