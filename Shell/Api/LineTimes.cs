using System;
using System.Buffers;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;

namespace Agent.Shell.Api;

/// <summary>
/// Puts before each line of a stream the time at which its first byte came, and a blank: 25 bytes. Pieces are taken
/// one after the other; a line that goes on in the next one gets no second time. Where no time is known, it is blank.
/// </summary>
internal sealed class LineTimes(IProcessOutput output, ProcessId id, OutputStream stream, long from)
{
    /// <summary>Of a text of empty lines it makes 26 times as much.</summary>
    public const int LongestPiece = 256 << 10;

    // Times come with the log, in a few milliseconds; a disk that hangs must not hold up the words.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Whether what comes next begins a line: the first piece may go on with one of which others had more.</summary>
    public bool IsLineStart { get; private set; } = BeginsLine(output.Since(id, stream, from - 1, 1));

    /// <summary>The piece with times, or as much of it as has some.</summary>
    public async Task<OutputRead.Slice> TimeAsync(OutputRead.Slice slice, CancellationToken stop)
    {
        if (slice.Bytes.IsEmpty) return slice;
        var begin = slice.Next - slice.Bytes.Length;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Patience);
        await output.WaitForTimesAsync(id, stream, begin, limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.ThrowIfCancellationRequested();
        if (output.Times(id, stream, begin, slice.Next) is not { } times) return slice;
        var count = times.Known > begin ? (int)(times.Known - begin) : slice.Bytes.Length;
        return slice with
        {
            Bytes = Text(slice.Bytes[..count].Span, begin, times),
            Next = begin + count,
            Eof = slice.Eof && count == slice.Bytes.Length,
        };
    }

    private static bool BeginsLine(OutputRead before) =>
        before is not OutputRead.Slice { Dropped: 0, Bytes: { IsEmpty: false } one } || one.Span[0] == '\n';

    private ReadOnlyMemory<byte> Text(ReadOnlySpan<byte> bytes, long cursor, OutputTimes times)
    {
        var text = new ArrayBufferWriter<byte>(bytes.Length + 256);
        var mark = 0;
        while (!bytes.IsEmpty)
        {
            while (mark < times.Marks.Count && times.Marks[mark].Cursor <= cursor) mark++;
            if (IsLineStart)
            {
                var at = mark > 0 ? Api.Times.Show(times.Marks[mark - 1].UnixMs) : Api.Times.Show(0);
                Encoding.ASCII.GetBytes(at, text);
                text.Write(" "u8);
            }

            var newline = bytes.IndexOf((byte)'\n');
            var line = newline < 0 ? bytes : bytes[..(newline + 1)];
            text.Write(line);
            IsLineStart = newline >= 0;
            cursor += line.Length;
            bytes = bytes[line.Length..];
        }

        return text.WrittenMemory;
    }
}
