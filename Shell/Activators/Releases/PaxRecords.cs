using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Agent.Shell.Activators.Releases;

/// <summary>The records of a pax extended header: "LENGTH KEY=VALUE\n", the length that of the whole record.</summary>
internal static class PaxRecords
{
    /// <exception cref="ReleaseRefused">A record is malformed, or a key comes twice.</exception>
    public static Dictionary<string, string> Read(ReadOnlySpan<byte> content)
    {
        var records = new Dictionary<string, string>(StringComparer.Ordinal);
        while (!content.IsEmpty)
        {
            var blank = content.IndexOf((byte)' ');
            if (blank <= 0 || !TryNumber(content[..blank], out var length)
                || length <= blank + 1 || length > content.Length || content[(int)length - 1] != '\n')
            {
                throw Malformed("a record's length is wrong");
            }

            var record = content[(blank + 1)..((int)length - 1)];
            var equals = record.IndexOf((byte)'=');
            if (equals <= 0) throw Malformed("a record has no key");
            var key = Encoding.UTF8.GetString(record[..equals]);
            var text = key is "path" or "linkpath" or "size" ? TarHeader.Text(record[(equals + 1)..]) : "";
            if (!records.TryAdd(key, text)) throw Malformed($"{key} comes twice");
            content = content[(int)length..];
        }

        return records;
    }

    /// <summary>A size: decimal digits and nothing else.</summary>
    public static long Size(string text)
    {
        if (text.StartsWith('-')) throw new ReleaseRefused(ReleaseCode.SizeLie, $"an entry's size is {text}");
        if (!TryNumber(Encoding.UTF8.GetBytes(text), out var size)) throw Malformed($"the size {text} is no number");
        return size;
    }

    private static bool TryNumber(ReadOnlySpan<byte> digits, out long number) =>
        long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static ReleaseRefused Malformed(string what) =>
        new(ReleaseCode.Garbage, $"an extended header is malformed: {what}");
}
