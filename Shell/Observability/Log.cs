using System;
using System.Buffers;
using System.Globalization;
using System.IO;
using System.Text;
using System.Text.Json;
using System.Threading;

namespace Agent.Shell.Observability;

internal enum LogFormat
{
    Human,
    Json,

    /// <summary>Plain text with systemd's priority prefix; the journal adds time and unit itself.</summary>
    Journald,
}

internal enum LogLevel
{
    Debug,
    Info,
    Warn,
    Error,
}

/// <summary>
/// The agent's own log, on standard error: one line an entry, a message and named values. It never holds values of
/// environments, stdin or output. Writing fails silently because there is nowhere left to tell it.
/// </summary>
internal static class Log
{
    // A value longer than this belongs in the journal or a file, not on an operator's terminal.
    private const int LongestValue = 2048;

    private static readonly Lock Gate = new();
    private static readonly Stream Error = Console.OpenStandardError();
    private static LogFormat _format = LogFormat.Human;
    private static LogLevel _least = LogLevel.Info;

    public static void Use(LogFormat format, LogLevel least)
    {
        _format = format;
        _least = least;
    }

    public static void Debug(string message, params ReadOnlySpan<(string Name, object? Value)> values) =>
        Write(LogLevel.Debug, message, values);

    public static void Info(string message, params ReadOnlySpan<(string Name, object? Value)> values) =>
        Write(LogLevel.Info, message, values);

    public static void Warn(string message, params ReadOnlySpan<(string Name, object? Value)> values) =>
        Write(LogLevel.Warn, message, values);

    public static void Fail(string message, params ReadOnlySpan<(string Name, object? Value)> values) =>
        Write(LogLevel.Error, message, values);

    private static void Write(LogLevel level, string message, ReadOnlySpan<(string Name, object? Value)> values)
    {
        if (level < _least) return;
        var line = _format == LogFormat.Json ? Json(level, message, values) : Text(level, message, values);
        try
        {
            lock (Gate) Error.Write(line);
        }
        catch (IOException)
        {
            // Standard error is closed: the agent goes on without it.
        }
    }

    private static byte[] Text(LogLevel level, string message, ReadOnlySpan<(string Name, object? Value)> values)
    {
        var text = new StringBuilder();
        if (_format == LogFormat.Journald) text.Append(Priority(level));
        else text.Append(DateTime.UtcNow.ToString("HH:mm:ss.fff ", CultureInfo.InvariantCulture)).Append(Word(level));
        text.Append(message);
        foreach (var (name, value) in values) text.Append("  ").Append(name).Append('=').Append(OneLine(Short(value)));
        return Encoding.UTF8.GetBytes(text.Append('\n').ToString());
    }

    private static byte[] Json(LogLevel level, string message, ReadOnlySpan<(string Name, object? Value)> values)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("at"u8, DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("level"u8, Word(level).Trim());
            json.WriteString("message"u8, message);
            foreach (var (name, value) in values) json.WriteString(name, Short(value));
            json.WriteEndObject();
        }

        bytes.Write("\n"u8);
        return bytes.WrittenSpan.ToArray();
    }

    private static string Short(object? value) =>
        BoundedText.Cut(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "", LongestValue);

    private static string OneLine(string text) =>
        text.ReplaceLineEndings("\\n") is var line && line.Contains(' ', StringComparison.Ordinal) ? $"\"{line}\"" : line;

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Debug => "debug ",
        LogLevel.Info => "info  ",
        LogLevel.Warn => "warn  ",
        _ => "error ",
    };

    private static string Priority(LogLevel level) => level switch
    {
        LogLevel.Debug => "<7>",
        LogLevel.Info => "<6>",
        LogLevel.Warn => "<4>",
        _ => "<3>",
    };
}
