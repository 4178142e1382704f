using System;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;

namespace Agent.Shell.Containers.Engine;

/// <summary>An archive on its way to the engine. It tells how many bytes went, so that a silence can be seen.</summary>
internal sealed class TarContent : HttpContent
{
    private const int PartBytes = 128 << 10;

    private readonly Stream _tar;
    private readonly Action<long> _sent;

    public TarContent(Stream tar, Action<long> sent)
    {
        (_tar, _sent) = (tar, sent);
        Headers.ContentType = new("application/x-tar");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var part = new byte[PartBytes];
        var sent = 0L;
        while (await _tar.ReadAsync(part, cancellationToken).ConfigureAwait(false) is > 0 and var count)
        {
            await stream.WriteAsync(part.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
            _sent(sent += count);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
