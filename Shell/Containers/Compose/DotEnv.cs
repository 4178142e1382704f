using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Agent.Shell.Config;

namespace Agent.Shell.Containers.Compose;

/// <summary>
/// Reads a file of variables, `.env` or one that `env_file` names: a line each, `NAME=value`, with single quotes around
/// what is meant as it stands and double quotes around what may hold `\n` and variables.
/// </summary>
internal sealed class DotEnv(string file, Func<string, string?> outside, Mistakes mistakes)
{
    /// <summary>Some hundred variables of some hundred bytes.</summary>
    public const int MaxBytes = 256 << 10;

    private static readonly string Unfilled =
        "a variable in the value is not set and has no default, is not written as ${NAME}, or makes it longer than "
            + $"{Interpolation.MaxLength} characters; a $ that is meant as it stands is written $$, or within single quotes";

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly Dictionary<string, string> _read = new(StringComparer.Ordinal);

    /// <summary>
    /// What the file sets, with its variables' values from outside or, where there are none, from lines further up. A
    /// name alone takes the value from outside, and is left out where there is none.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Read(
        string file, Func<string, string?> outside, Mistakes mistakes)
    {
        var one = new DotEnv(file, outside, mistakes);
        if (one.Text() is { } text) one.ReadLines(text);
        return one._read;
    }

    private string? Text()
    {
        try
        {
            using var stream = File.OpenRead(file);
            var bytes = new byte[MaxBytes + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length <= MaxBytes) return Strict.GetString(bytes, 0, length);
            mistakes.Add($"{file}: larger than {MaxBytes} bytes");
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

    private void ReadLines(string text)
    {
        var number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = raw.AsSpan().Trim();
            if (line.IsEmpty || line[0] == '#') continue;
            if (line.StartsWith("export ", StringComparison.Ordinal)) line = line[7..].TrimStart();
            if (ReadLine(line) is { } fault) mistakes.Add(new Place(file, number, 1), fault);
        }
    }

    private string? ReadLine(ReadOnlySpan<char> line)
    {
        var equals = line.IndexOf('=');
        var name = (equals < 0 ? line : line[..equals]).TrimEnd();
        if (!Interpolation.IsName(name)) return "a line is NAME=value, and a name has letters, digits and _";
        if (equals < 0)
        {
            if (outside(name.ToString()) is { } inherited) _read[name.ToString()] = inherited;
            return null;
        }

        var (value, fault) = Value(line[(equals + 1)..].TrimStart());
        if (value.Contains('\0', StringComparison.Ordinal)) return "a value holds a NUL character";
        if (fault is null) _read[name.ToString()] = value;
        return fault;
    }

    private (string Value, string? Fault) Value(ReadOnlySpan<char> text)
    {
        if (text is ['\'' or '"', ..])
        {
            var end = Closing(text);
            if (end < 0) return ("", $"the quote {text[0]} is not closed on its line");
            if (text[(end + 1)..].TrimStart() is not ([] or ['#', ..])) return ("", "something stands behind the closing quote");
            var inside = text[1..end].ToString();
            return text[0] == '\'' ? (inside, null) : Filled(Unescape(inside));
        }

        var comment = text.IndexOf(" #", StringComparison.Ordinal);
        if (comment >= 0) text = text[..comment];
        return Filled(text.TrimEnd().ToString());
    }

    /// <summary>A value here may be a password, and a mistake is told to logs and callers: it quotes no part of it.</summary>
    private (string Value, string? Fault) Filled(string text)
    {
        var (value, fault) = Interpolation.Of(text, Known);
        return (value, fault is null ? null : Unfilled);
    }

    private string? Known(string name) => outside(name) ?? _read.GetValueOrDefault(name);

    private static int Closing(ReadOnlySpan<char> text)
    {
        for (var i = 1; i < text.Length; i++)
        {
            if (text[i] == '\\' && text[0] == '"') i++;
            else if (text[i] == text[0]) return i;
        }

        return -1;
    }

    private static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal)) return text;
        var plain = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 == text.Length)
            {
                plain.Append(text[i]);
                continue;
            }

            // An escaped dollar is a dollar after the variables have been read, too.
            plain.Append(text[++i] switch
            {
                'n' => "\n",
                'r' => "\r",
                't' => "\t",
                '$' => "$$",
                var c => c.ToString(),
            });
        }

        return plain.ToString();
    }
}
