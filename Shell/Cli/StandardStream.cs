using System;
using System.IO;
using System.Threading;
using Agent.Shell.Linux;

namespace Agent.Shell.Cli;

/// <summary>
/// Standard output or standard error, byte for byte. The console's own stream swallows that its reader went away, and
/// `agent logs -f web | head -1` would follow for ever; here it is an <see cref="IOException"/> with EPIPE.
/// </summary>
internal sealed class StandardStream(int descriptor) : Stream
{
    public static StandardStream Output { get; } = new(1);

    public static StandardStream Error { get; } = new(2);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var put = Descriptors.Write(descriptor, buffer);
            if (put >= 0) buffer = buffer[put..];
            else if (put == -Errno.Again) Thread.Sleep(1); // somebody made our terminal or pipe non-blocking
            else throw new IOException(Errno.Text(-put), -put);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // Nothing is held back.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
