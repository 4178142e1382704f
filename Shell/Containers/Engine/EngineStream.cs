using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Http;
using System.Text.Json;
using System.Threading.Tasks;

namespace Agent.Shell.Containers.Engine;

/// <summary>
/// An answer that goes on: progress, events, logs. Its limit is renewed with every read, so that it bounds silences.
/// </summary>
internal sealed class EngineStream(HttpResponseMessage answer, Stream body, CallLimit limit) : IAsyncDisposable
{
    /// <summary>Bytes as they come; 0 at the end.</summary>
    public async Task<int> ReadAsync(Memory<byte> into)
    {
        var count = await limit.RunAsync(token => body.ReadAsync(into, token).AsTask()).ConfigureAwait(false);
        limit.Extend();
        return count;
    }

    /// <summary>Fills the buffer; false where the answer ended before its first byte.</summary>
    public async Task<bool> FillAsync(Memory<byte> into)
    {
        for (var length = 0; length < into.Length;)
        {
            var count = await ReadAsync(into[length..]).ConfigureAwait(false);
            if (count == 0 && length == 0) return false;
            if (count == 0) throw new ContainerException(ContainerFault.Unreachable, "the engine's answer ended in the middle");
            length += count;
        }

        return true;
    }

    /// <summary>
    /// JSON values one after the other, each on a line of its own; the last line may lack its end.
    /// </summary>
    public async IAsyncEnumerable<JsonDocument> LinesAsync()
    {
        var buffer = new byte[EngineLimits.LineBytes];
        var length = 0;
        while (true)
        {
            var count = await ReadAsync(buffer.AsMemory(length)).ConfigureAwait(false);
            length += count;
            var begin = 0;
            while (buffer.AsSpan(begin, length - begin).IndexOf((byte)'\n') is >= 0 and var end)
            {
                if (Parse(buffer.AsMemory(begin, end)) is { } line) yield return line;
                begin += end + 1;
            }

            if (count == 0)
            {
                if (Parse(buffer.AsMemory(begin, length - begin)) is { } last) yield return last;
                yield break;
            }

            if (begin == 0 && length == buffer.Length)
            {
                throw new ContainerException(ContainerFault.Garbage, $"a line of more than {buffer.Length} bytes");
            }

            buffer.AsSpan(begin, length - begin).CopyTo(buffer);
            length -= begin;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await body.DisposeAsync().ConfigureAwait(false);
        answer.Dispose();
    }

    private static JsonDocument? Parse(ReadOnlyMemory<byte> line)
    {
        if (line.Span.Trim(" \r\t"u8).IsEmpty) return null;
        try
        {
            return JsonDocument.Parse(line.ToArray());
        }
        catch (JsonException failure)
        {
            throw new ContainerException(ContainerFault.Garbage, "a line of the engine's answer is not understood", failure);
        }
    }
}
