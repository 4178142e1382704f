using System.Collections.Generic;

namespace Agent.Shell.Import;

/// <summary>
/// `KEY="value",KEY2=value2` as supervisord's `environment` has it: a value in quotes is what stands between them,
/// without escapes; one without quotes is letters, digits and _ / . + - ( ) : only.
/// </summary>
internal static class KeyValues
{
    public static (IReadOnlyList<KeyValuePair<string, string>> Pairs, string? Fault) Parse(string text)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        var at = Blanks(text, 0);
        while (at < text.Length)
        {
            var key = Word(text, at);
            at = Blanks(text, at + key.Length);
            if (key.Length == 0 || at == text.Length || text[at] != '=')
            {
                return ([], $"a key and = are expected at \"{Rest(text, at)}\"");
            }

            at = Blanks(text, at + 1);
            if (Value(text, ref at) is not { } value)
            {
                return ([], $"a value is expected at \"{Rest(text, at)}\"; put it in quotes");
            }

            pairs.RemoveAll(one => one.Key == key);
            pairs.Add(new(key, value));
            at = Blanks(text, at);
            if (at == text.Length) break;
            if (text[at] != ',') return ([], $"a comma is expected at \"{Rest(text, at)}\"; put the value in quotes");
            at = Blanks(text, at + 1);
        }

        return (pairs, null);
    }

    private static string? Value(string text, ref int at)
    {
        if (at == text.Length) return null;
        if (text[at] is '"' or '\'')
        {
            var end = text.IndexOf(text[at], at + 1);
            if (end < 0) return null;
            var value = text[(at + 1)..end];
            at = end + 1;
            return value;
        }

        var word = Word(text, at);
        at += word.Length;
        return word.Length == 0 ? null : word;
    }

    private static string Word(string text, int from)
    {
        var end = from;
        while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || IsPlain(text[end]))) end++;
        return text[from..end];
    }

    private static bool IsPlain(char c) => c is '_' or '/' or '.' or '+' or '-' or '(' or ')' or ':';

    private static int Blanks(string text, int at)
    {
        while (at < text.Length && text[at] is ' ' or '\t' or '\r' or '\n') at++;
        return at;
    }

    private static string Rest(string text, int at) => text.Length - at <= 20 ? text[at..] : text[at..(at + 20)] + "…";
}
