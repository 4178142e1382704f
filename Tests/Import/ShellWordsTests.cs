using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.Json;
using Agent.Shell.Import;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Agent.Tests.Import;

/// CL-1: command lines are split as supervisord splits them.
public sealed class ShellWordsTests
{
    /// CL-1: the rules, one by one.
    [Theory]
    [InlineData("", "")]
    [InlineData("  a \t b\n", "a|b")]
    [InlineData("a'b c'd", "ab cd")]
    [InlineData("'' \"\" x", "||x")]
    [InlineData("""a\ b \"c \\""", "a b|\"c|\\")]
    [InlineData("""'a\b'""", """a\b""")]
    [InlineData(""" "a\"b\\c\d\$e" """, """a"b\c\d\$e""")]
    [InlineData("a#b ; & | $HOME *", "a#b|;|&|$PIPE|$HOME|*")]
    public void Each_rule_is_kept(string line, string words)
    {
        var (split, fault) = ShellWords.Split(line);
        Assert.Null(fault);
        Assert.Equal(words, string.Join('|', split.Select(word => word == "|" ? "$PIPE" : word)));
    }

    /// CL-1: what is not closed is told.
    [Theory]
    [InlineData("a 'b", "the quote ' is not closed")]
    [InlineData("a \"b\\\"", "the quote \" is not closed")]
    [InlineData("a\\", "it ends with a backslash, and nothing comes behind it")]
    public void What_is_not_closed_is_told(string line, string fault) => Assert.Equal(fault, ShellWords.Split(line).Fault);

    /// CL-1: words that were quoted, in whichever way, come back as they were.
    [Fact]
    public void Quoted_words_come_back()
    {
        var words = Texts().ListOf().Select(list => list.ToArray());
        Prop.ForAll(Arb.From(words), Gen.Choose(0, 2).ToArbitrary(), (given, way) =>
        {
            var (split, fault) = ShellWords.Split(string.Join(" \t", given.Select(word => Quote(word, way))));
            Assert.Null(fault);
            Assert.Equal(given, split);
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    /// CL-1: any line at all is split, or told why not, as Python's own shlex does it.
    [SkippableFact]
    public void Any_line_is_split_as_Python_splits_it()
    {
        Skip.IfNot(File.Exists("/usr/bin/python3"), "compared with python3's shlex");
        var lines = Texts().Sample(6000, 30).ToList();
        var told = Python(lines);
        for (var i = 0; i < lines.Count; i++)
        {
            var (split, fault) = ShellWords.Split(lines[i]);
            Assert.True(told[i] is null == fault is not null, $"{lines[i]}: {fault}");
            if (fault is null) Assert.Equal(told[i]!, split);
        }
    }

    private static Gen<string> Texts() =>
        Gen.Elements(" \t\n'\"\\abc$#;|é-=/".ToCharArray()).ArrayOf().Select(letters => new string(letters));

    private static string Quote(string word, int way) => way switch
    {
        0 => $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'",
        1 => $"\"{word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"",
        _ => word.Length == 0 ? "''" : string.Concat(word.Select(letter => $"\\{letter}")),
    };

    private static List<string[]?> Python(IReadOnlyList<string> lines)
    {
        const string Program = """
            import json, shlex, sys
            def split(line):
                try: return shlex.split(line)
                except ValueError: return None
            print(json.dumps([split(line) for line in json.load(sys.stdin)]))
            """;
        var start = new ProcessStartInfo("/usr/bin/python3") { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(Program);
        using var python = Process.Start(start)!;
        python.StandardInput.Write(JsonSerializer.Serialize(lines));
        python.StandardInput.Close();
        return JsonSerializer.Deserialize<List<string[]?>>(python.StandardOutput.ReadToEnd())!;
    }
}
