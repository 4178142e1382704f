using System;
using System.Buffers.Binary;
using System.Collections.Generic;

namespace Agent.Shell.Containers.Engine;

/// <summary>
/// The engine's log stream: frames of a stream's number, three zeros, a length and so many bytes. A container with a
/// terminal has no frames, its one stream comes as it is.
/// </summary>
internal static class LogFrames
{
    private const int HeadBytes = 8;
    private const int LengthAt = 4;

    /// <summary>A frame is passed on in parts of this size: its length is the other side's word.</summary>
    private const int PartBytes = 32 << 10;

    public static async IAsyncEnumerable<LogChunk> ReadAsync(EngineStream from, bool hasTerminal)
    {
        var part = new byte[PartBytes];
        if (hasTerminal)
        {
            while (await from.ReadAsync(part).ConfigureAwait(false) is > 0 and var count)
            {
                yield return new(LogStream.Output, part.AsMemory(0, count));
            }

            yield break;
        }

        var head = new byte[HeadBytes];
        while (await from.FillAsync(head).ConfigureAwait(false))
        {
            var stream = StreamOf(head);
            for (long left = BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(LengthAt)); left > 0;)
            {
                var count = await from.ReadAsync(part.AsMemory(0, (int)Math.Min(left, part.Length))).ConfigureAwait(false);
                if (count == 0) throw new ContainerException(ContainerFault.Unreachable, "the engine's log ended in the middle");
                left -= count;
                yield return new(stream, part.AsMemory(0, count));
            }
        }
    }

    /// <summary>0 and 1 are the output, 2 the errors, 3 the engine's own complaint.</summary>
    private static LogStream StreamOf(ReadOnlySpan<byte> head) => head is [<= 3, 0, 0, 0, ..]
        ? head[0] >= 2 ? LogStream.Error : LogStream.Output
        : throw new ContainerException(ContainerFault.Garbage, "the engine's log has a frame that is none");
}
