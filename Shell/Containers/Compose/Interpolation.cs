using System;
using System.Text;

namespace Agent.Shell.Containers.Compose;

/// <summary>
/// Variables in a text as Compose has them: `$NAME`, `${NAME}`, `:-` and `-` with a default, `:?` and `?` with a reason,
/// `:+` and `+` with a replacement, `$$` for a dollar. One that is not set and has no default is a fault: nobody would
/// see a warning here.
/// </summary>
internal static class Interpolation
{
    /// <summary>As long as a variable may be; values that refer to others could grow without end.</summary>
    public const int MaxLength = 64 << 10;

    /// <summary>Defaults within defaults: nobody writes more than two.</summary>
    private const int MaxDepth = 8;

    /// <summary>The text with its variables' values, or what is wrong with it.</summary>
    public static (string Value, string? Fault) Of(string text, Func<string, string?> variable)
    {
        if (!text.Contains('$', StringComparison.Ordinal)) return (text, null);
        var fault = Expand(text, variable, 0, out var value);
        return fault is null ? (value, null) : ("", fault);
    }

    public static bool IsName(ReadOnlySpan<char> text) => text.Length > 0 && NameLength(text) == text.Length;

    private static string? Expand(ReadOnlySpan<char> text, Func<string, string?> variable, int depth, out string value)
    {
        value = "";
        if (depth > MaxDepth) return $"defaults are nested deeper than {MaxDepth} levels";
        var whole = new StringBuilder();
        while (text.IndexOf('$') is >= 0 and var dollar)
        {
            whole.Append(text[..dollar]);
            text = text[(dollar + 1)..];
            if (text is ['$', ..])
            {
                whole.Append('$');
                text = text[1..];
                continue;
            }

            if (One(ref text, variable, depth, out var one) is { } fault) return fault;
            whole.Append(one);
            if (whole.Length > MaxLength) return $"with its variables it is longer than {MaxLength} characters";
        }

        value = whole.Append(text).ToString();
        return null;
    }

    /// <summary>Takes what stands behind a dollar.</summary>
    private static string? One(ref ReadOnlySpan<char> text, Func<string, string?> variable, int depth, out string value)
    {
        value = "";
        if (text is not ['{', ..])
        {
            var plain = NameLength(text);
            if (plain == 0) return "a $ begins a variable, such as ${NAME}; write $$ for the sign itself";
            var name = text[..plain].ToString();
            text = text[plain..];
            return Set(name, variable(name), out value);
        }

        var end = Closing(text);
        if (end < 0) return "a ${ is not closed";
        var inside = text[1..end];
        text = text[(end + 1)..];
        var length = NameLength(inside);
        if (length == 0) return $"${{{inside}}} names no variable";
        return Choose(inside[..length].ToString(), inside[length..], variable, depth, out value);
    }

    private static string? Choose(
        string name, ReadOnlySpan<char> rule, Func<string, string?> variable, int depth, out string value)
    {
        var found = variable(name);
        if (rule.IsEmpty) return Set(name, found, out value);

        // With a colon an empty variable counts as one that is not set.
        if (rule[0] == ':')
        {
            rule = rule[1..];
            if (found is "") found = null;
        }

        value = found ?? "";
        if (rule is ['-', .. var other]) return found is null ? Expand(other, variable, depth + 1, out value) : null;
        if (rule is ['+', .. var instead]) return found is null ? null : Expand(instead, variable, depth + 1, out value);
        if (rule is ['?', .. var reason]) return found is null ? $"{name} is not set: {reason}" : null;
        return $"${{{name}…}} is written as ${{{name}}}, or with :-, -, :?, ?, :+ or + behind the name";
    }

    private static string? Set(string name, string? found, out string value)
    {
        value = found ?? "";
        return found is null ? $"{name} is not set; ${{{name}:-}} may be empty" : null;
    }

    private static int Closing(ReadOnlySpan<char> text)
    {
        var open = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '{' && (i == 0 || text[i - 1] == '$')) open++;
            else if (text[i] == '}' && --open == 0) return i;
        }

        return -1;
    }

    private static int NameLength(ReadOnlySpan<char> text)
    {
        var length = 0;
        while (length < text.Length && (char.IsAsciiLetter(text[length]) || text[length] == '_'
            || (length > 0 && char.IsAsciiDigit(text[length]))))
        {
            length++;
        }

        return length;
    }
}
