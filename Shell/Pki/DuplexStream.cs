using System;
using System.Buffers;
using System.IO;
using System.IO.Pipelines;
using System.Net.Security;
using System.Threading;
using System.Threading.Tasks;

namespace Agent.Shell.Pki;

/// <summary>A connection's two pipes as one stream, which is what TLS runs over.</summary>
internal sealed class DuplexStream(IDuplexPipe transport) : Stream
{
    private readonly Stream _input = transport.Input.AsStream(leaveOpen: true);
    private readonly Stream _output = transport.Output.AsStream(leaveOpen: true);

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _input.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask WriteAsync(
        ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _output.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => _output.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw Blocking();

    public override void Write(byte[] buffer, int offset, int count) => throw Blocking();

    public override void Flush()
    {
        // A pipe's writes are flushed with each of them.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            // The pipes themselves are left open: they are the connection's.
            _input.Dispose();
            _output.Dispose();
        }

        base.Dispose(disposing);
    }

    private static NotSupportedException Blocking() => new("nothing here blocks a thread");
}

/// <summary>What lies within TLS, as the two pipes that Kestrel speaks HTTP over.</summary>
internal sealed class TlsPipes(SslStream tls) : IDuplexPipe, IAsyncDisposable
{
    // A reader that waits holds no buffer: most of a fleet's connections are long polls.
    private static readonly StreamPipeReaderOptions Reading =
        new(MemoryPool<byte>.Shared, leaveOpen: true, useZeroByteReads: true);

    private static readonly StreamPipeWriterOptions Writing = new(MemoryPool<byte>.Shared, leaveOpen: true);

    public PipeReader Input { get; } = PipeReader.Create(tls, Reading);

    public PipeWriter Output { get; } = PipeWriter.Create(tls, Writing);

    public async ValueTask DisposeAsync()
    {
        await Input.CompleteAsync();
        try
        {
            await Output.CompleteAsync();
        }
        catch (IOException)
        {
            // The other end is gone, and with it whoever the last bytes were for.
        }
    }
}
