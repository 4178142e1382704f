using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using Agent.Shell.Config;

namespace Agent.Shell.Import;

/// <summary>Writes services as the section of agent.yaml that means them, with what could not be carried over at its top.</summary>
internal static class ServicesYaml
{
    public static string Write(string source, Imported imported)
    {
        var yaml = new StringBuilder();
        yaml.Append("# From ").Append(Comment(source)).Append(", by `agent import`. Look it over, then: agent config validate\n");
        yaml.Append("# A service inherits PATH, LANG, LC_* and TZ of the agent; every other variable is named in its env.\n");
        if (imported.Notes.Count > 0) yaml.Append("# Not carried over:\n");
        foreach (var note in imported.Notes) yaml.Append(CultureInfo.InvariantCulture, $"#   {Comment(note.ToString())}\n");
        yaml.Append("services:\n");
        foreach (var service in imported.Services)
        {
            foreach (var line in Lines(service)) yaml.Append(service.Disabled ? "#" : "").Append(line).Append('\n');
        }

        return yaml.ToString();
    }

    private static IEnumerable<string> Lines(ImportedService one)
    {
        yield return $"  {one.Name}:";
        yield return $"    command: {List(one.Command)}";
        if (one.Env.Count > 0) yield return "    env:";
        foreach (var (key, value) in one.Env) yield return $"      {Scalar(key)}: {Scalar(value)}";
        if (one.Cwd is { } cwd) yield return $"    cwd: {Scalar(cwd)}";
        if (one.User is { } user) yield return $"    user: {Scalar(user)}";
        if (one.Restart is { } restart) yield return $"    restart: {restart}";
        if (one.After.Count > 0) yield return $"    after: {List(one.After)}";
        if (one.StopSignal is { } signal) yield return $"    stopSignal: {signal}";
        if (one.Log is var (bytes, files)) yield return FormattableString.Invariant($"    log: {{ maxSize: {bytes}, files: {files} }}");
        if (one.Grace is { } grace) yield return string.Create(CultureInfo.InvariantCulture, $"    grace: {Grace(grace)}");
    }

    private static string List(IEnumerable<string> texts) => $"[{string.Join(", ", texts.Select(Scalar))}]";

    private static string Grace(TimeSpan grace) => grace.TotalMilliseconds % 1000 == 0
        ? Durations.Show(grace)
        : string.Create(CultureInfo.InvariantCulture, $"{(long)grace.TotalMilliseconds}ms");

    /// <summary>Plain where every reader takes it for the same text, otherwise in double quotes.</summary>
    private static string Scalar(string text) => IsPlain(text) ? text : Quoted(text);

    private static bool IsPlain(string text)
    {
        if (text.Length == 0 || !(char.IsAsciiLetter(text[0]) || text[0] == '/')) return false;

        // Words that some readers of YAML take for something else than a text.
        if (text.ToUpperInvariant() is "NULL" or "TRUE" or "FALSE" or "YES" or "NO" or "ON" or "OFF" or "Y" or "N") return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('/' or '.' or '_' or '-' or '+')) return false;
        }

        return true;
    }

    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            quoted.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\t' => "\\t",
                '\r' => "\\r",
                _ when char.IsControl(c) || c is '\u2028' or '\u2029' or '\uFEFF' or '\uFFFE' or '\uFFFF' =>
                    string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}"),
                _ => c.ToString(),
            });
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>On one line, whatever a file was called and said.</summary>
    private static string Comment(string text) =>
        string.Concat(text.Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c));
}
