using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Agent.Shell.Config;

namespace Agent.Shell.Import;

/// <summary>A file to import as lines of text, strictly: bounded, UTF-8, without NUL.</summary>
internal static class ImportFile
{
    /// <summary>The largest declarations of services are some thousand lines.</summary>
    public const int MaxBytes = 1 << 20;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Its lines without their ends; null when what is wrong with it was told.</summary>
    public static IReadOnlyList<string>? Lines(string file, Mistakes mistakes)
    {
        try
        {
            using var stream = File.OpenRead(file);
            var bytes = new byte[MaxBytes + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            var text = bytes.AsSpan(0, length);
            if (length > MaxBytes) mistakes.Add($"{file}: larger than {MaxBytes} bytes");
            else if (text.Contains((byte)0)) mistakes.Add($"{file}: holds a NUL at byte {text.IndexOf((byte)0)}");
            else return Strict.GetString(text).TrimStart('\uFEFF').ReplaceLineEndings("\n").Split('\n');
        }
        catch (DecoderFallbackException failure)
        {
            mistakes.Add($"{file}: is no UTF-8 at byte {failure.Index}");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            mistakes.Add($"{file}: {failure.Message}");
        }

        return null;
    }
}
