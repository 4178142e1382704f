using System;
using System.Buffers;
using System.IO;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;

namespace Agent.Shell.Pki;

/// <summary>
/// Reads a body of which neither the length nor the pace is trusted: to its end, within a size and a time. Throws
/// <see cref="PkiRefused"/> at either; whoever gave the body then closes its connection.
/// </summary>
internal static class BoundedBody
{
    private const int FirstBytes = 4096;

    public static async Task<ReadOnlyMemory<byte>> ReadAsync(
        HttpContent content, int maxBytes, TimeSpan maxTime, CancellationToken stop)
    {
        if (content.Headers.ContentLength > maxBytes) throw TooLarge(maxBytes);
        var body = await content.ReadAsStreamAsync(stop);
        await using (body)
        {
            return await ReadAsync(body, maxBytes, maxTime, stop);
        }
    }

    public static async Task<ReadOnlyMemory<byte>> ReadAsync(
        Stream body, int maxBytes, TimeSpan maxTime, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(maxTime);
        var bytes = new ArrayBufferWriter<byte>(FirstBytes);
        try
        {
            while (true)
            {
                // One byte more than is allowed tells too much from just enough.
                var room = bytes.GetMemory(1);
                var most = Math.Min(room.Length, maxBytes - bytes.WrittenCount + 1);
                var read = await body.ReadAsync(room[..most], limit.Token);
                if (read == 0) return bytes.WrittenMemory;
                bytes.Advance(read);
                if (bytes.WrittenCount > maxBytes) throw TooLarge(maxBytes);
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new PkiRefused(
                PkiFault.BodyTooSlow,
                $"after {maxTime.TotalSeconds:0.###} s only {bytes.WrittenCount} bytes had come; see to the network");
        }
    }

    private static PkiRefused TooLarge(int maxBytes) => new(
        PkiFault.BodyTooLarge, $"it is longer than {maxBytes} bytes; that is no answer of a plane of this version");
}
