using System.Collections.Generic;
using System.Text;

namespace Agent.Shell.Import;

/// <summary>
/// Splits a command line as supervisord does, which is what Python's shlex does: blanks part words, quotes and
/// backslashes keep them together, and nothing else means anything; no shell is asked.
/// </summary>
internal static class ShellWords
{
    /// <summary>The words, or what is wrong with the line.</summary>
    public static (IReadOnlyList<string> Words, string? Fault) Split(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var begun = false;
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (c is ' ' or '\t' or '\r' or '\n')
            {
                if (begun) words.Add(word.ToString());
                word.Clear();
                begun = false;
                continue;
            }

            begun = true;
            if (c == '\\')
            {
                if (++i == line.Length) return ([], "it ends with a backslash, and nothing comes behind it");
                word.Append(line[i]);
            }
            else if (c is '\'' or '"')
            {
                var end = Quoted(line, i, word);
                if (end < 0) return ([], $"the quote {c} is not closed");
                i = end;
            }
            else
            {
                word.Append(c);
            }
        }

        if (begun) words.Add(word.ToString());
        return (words, null);
    }

    /// <summary>Takes what stands between quotes; answers where the closing one is, or -1.</summary>
    private static int Quoted(string line, int open, StringBuilder word)
    {
        var quote = line[open];
        for (var i = open + 1; i < line.Length; i++)
        {
            var c = line[i];
            if (c == quote) return i;

            // Between double quotes a backslash takes the power of a quote and of a backslash; before others it is itself.
            if (quote == '"' && c == '\\' && i + 1 < line.Length && line[i + 1] is '"' or '\\') c = line[++i];
            word.Append(c);
        }

        return -1;
    }
}
