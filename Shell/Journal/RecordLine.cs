using System;
using System.Buffers.Text;
using System.Globalization;

namespace Agent.Shell.Journal;

/// <summary>
/// One line of the journal: eight hex digits of CRC-32C over the rest, a space, one JSON object, a newline. This is
/// the envelope only; the body between its time and its closing brace is the codec's.
/// </summary>
internal readonly ref struct RecordLine(long seq, long batch, long unixMilliseconds, ReadOnlySpan<byte> json, int bodyAt)
{
    private const int CrcDigits = 8;
    private const int Prefix = CrcDigits + 1;
    private const int TimeLength = 24;

    private static ReadOnlySpan<byte> SeqKey => "{\"seq\":"u8;

    private static ReadOnlySpan<byte> BatchKey => ",\"batch\":"u8;

    private static ReadOnlySpan<byte> AtKey => ",\"at\":\""u8;

    public long Seq { get; } = seq;

    /// <summary>The first seq of the batch it was written in: every record below that was durable by then.</summary>
    public long Batch { get; } = batch;

    public long UnixMilliseconds { get; } = unixMilliseconds;

    /// <summary>The whole JSON object.</summary>
    public ReadOnlySpan<byte> Json { get; } = json;

    public ReadOnlySpan<byte> Body => Json[bodyAt..^1];

    /// <summary>The most that the envelope adds to a body, newline included.</summary>
    public const int Overhead = 160;

    /// <summary>Writes a whole line; answers its length.</summary>
    public static int Write(Span<byte> to, long seq, long batch, long unixMilliseconds, ReadOnlySpan<byte> body)
    {
        var at = Prefix;
        Put(to, ref at, SeqKey);
        Put(to, ref at, seq);
        if (batch != seq)
        {
            Put(to, ref at, BatchKey);
            Put(to, ref at, batch);
        }

        Put(to, ref at, AtKey);
        PutTime(to, ref at, unixMilliseconds);
        Put(to, ref at, "\","u8);
        Put(to, ref at, body);
        to[at++] = (byte)'}';
        Crc32C.Of(to[Prefix..at]).TryFormat(to, out _, "x8", CultureInfo.InvariantCulture);
        to[CrcDigits] = (byte)' ';
        to[at++] = (byte)'\n';
        return at;
    }

    /// <summary>Reads a line without its newline; false for anything that no writer of ours wrote whole.</summary>
    public static bool TryRead(ReadOnlySpan<byte> line, out RecordLine record)
    {
        record = default;
        if (line.Length <= Prefix || line[CrcDigits] != ' ') return false;
        if (!TryHex(line[..CrcDigits], out var crc)) return false;
        var json = line[Prefix..];
        if (Crc32C.Of(json) != crc || !json.StartsWith(SeqKey) || json[^1] != '}') return false;
        var at = SeqKey.Length;
        if (!TryNumber(json, ref at, out var seq)) return false;
        var batch = seq;
        if (json[at..].StartsWith(BatchKey))
        {
            at += BatchKey.Length;
            if (!TryNumber(json, ref at, out batch)) return false;
        }

        if (!json[at..].StartsWith(AtKey)) return false;
        at += AtKey.Length;
        if (json.Length < at + TimeLength + 3 || !TryTime(json.Slice(at, TimeLength), out var time)) return false;
        record = new(seq, batch, time, json, at + TimeLength + 2);
        return true;
    }

    private static void Put(Span<byte> to, ref int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(to[at..]);
        at += bytes.Length;
    }

    private static void Put(Span<byte> to, ref int at, long number)
    {
        Utf8Formatter.TryFormat(number, to[at..], out var written);
        at += written;
    }

    // Digits by arithmetic: a format string of the BCL would cost more than the checksum.
    private static void PutTime(Span<byte> to, ref int at, long unixMilliseconds)
    {
        var time = DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds).UtcDateTime;
        var (date, hour) = (DateOnly.FromDateTime(time), time.TimeOfDay);
        "0000-00-00T00:00:00.000Z"u8.CopyTo(to[at..]);
        PutDigits(to.Slice(at, 4), date.Year);
        PutDigits(to.Slice(at + 5, 2), date.Month);
        PutDigits(to.Slice(at + 8, 2), date.Day);
        PutDigits(to.Slice(at + 11, 2), hour.Hours);
        PutDigits(to.Slice(at + 14, 2), hour.Minutes);
        PutDigits(to.Slice(at + 17, 2), hour.Seconds);
        PutDigits(to.Slice(at + 20, 3), hour.Milliseconds);
        at += TimeLength;
    }

    private static void PutDigits(Span<byte> to, int number)
    {
        for (var place = to.Length - 1; place >= 0; place--, number /= 10) to[place] = (byte)('0' + number % 10);
    }

    private static bool TryNumber(ReadOnlySpan<byte> json, ref int at, out long number)
    {
        var ok = Utf8Parser.TryParse(json[at..], out number, out var read) && number >= 0;
        at += read;
        return ok;
    }

    private static bool TryHex(ReadOnlySpan<byte> digits, out uint value)
    {
        value = 0;
        foreach (var digit in digits)
        {
            var nibble = digit switch
            {
                >= (byte)'0' and <= (byte)'9' => digit - '0',
                >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
                _ => -1,
            };
            if (nibble < 0) return false;
            value = (value << 4) | (uint)nibble;
        }

        return true;
    }

    // yyyy-MM-ddTHH:mm:ss.fffZ, by the civil-calendar arithmetic of days since 1970.
    private static bool TryTime(ReadOnlySpan<byte> text, out long unixMilliseconds)
    {
        unixMilliseconds = 0;
        if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':'
            || text[19] != '.' || text[23] != 'Z')
        {
            return false;
        }

        foreach (var place in (ReadOnlySpan<byte>)[0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18, 20, 21, 22])
        {
            if (text[place] is < (byte)'0' or > (byte)'9') return false;
        }

        var year = Two(text, 0) * 100 + Two(text, 2);
        var month = Two(text, 5);
        var day = Two(text, 8);
        if (month is < 1 or > 12 || day is < 1 or > 31 || year < 1970) return false;
        var shifted = month <= 2 ? year - 1 : year;
        var era = shifted / 400;
        var yearOfEra = shifted - era * 400;
        var dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
        var days = era * 146097L + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468;
        var seconds = days * 86400 + Two(text, 11) * 3600 + Two(text, 14) * 60 + Two(text, 17);
        unixMilliseconds = seconds * 1000 + (text[20] - '0') * 100 + Two(text, 21);
        return true;
    }

    private static int Two(ReadOnlySpan<byte> text, int at) => (text[at] - '0') * 10 + text[at + 1] - '0';
}
