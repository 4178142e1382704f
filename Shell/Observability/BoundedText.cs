using System.Linq;
using System.Text;

namespace Agent.Shell.Observability;

/// <summary>What others say of a failure: it stands in the journal and in what is reported, so it has a bound.</summary>
internal static class BoundedText
{
    // Some sentences, the command line that an engine quotes, or a hook's last lines; in full it is in the logs of whoever
    // said it.
    private const int MostOfAReason = 2048;

    // One refusal, with the longest name in it cut.
    private const int MostOfAMessage = 600;

    private const string Mark = "…";

    /// <summary>Why a call failed, as far as it is told on.</summary>
    public static string Reason(string text) => Cut(text, MostOfAReason);

    /// <summary>A message with names that a stranger chose: no control characters for terminals and logs.</summary>
    public static string Harmless(string text) =>
        string.Concat(Cut(text, MostOfAMessage).Select(one => char.IsControl(one) ? '?' : one));

    /// <summary>At most so many bytes of UTF-8, cut between characters, and then marked as cut.</summary>
    public static string Cut(string text, int mostBytes)
    {
        if (Encoding.UTF8.GetByteCount(text) <= mostBytes) return text;
        var kept = 0;
        var bytes = Encoding.UTF8.GetByteCount(Mark);
        foreach (var rune in text.EnumerateRunes())
        {
            if (bytes + rune.Utf8SequenceLength > mostBytes) break;
            bytes += rune.Utf8SequenceLength;
            kept += rune.Utf16SequenceLength;
        }

        return text[..kept] + Mark;
    }
}
