using System;
using System.CommandLine;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Config;
using Agent.Shell.Import;

namespace Agent.Shell.Cli;

/// <summary>`agent import`: services of another supervisor as configuration.</summary>
internal static class ImportVerb
{
    private static readonly Argument<string> Source = new("file")
    {
        Description = "supervisord.conf, a Procfile, pm2's ecosystem.json or dump.pm2",
    };

    private static readonly Option<string?> Format = OneFormat();
    private static readonly Option<string?> Into = SpawnVerb.Text("--out", "FILE", "Write a new file instead of standard output");

    public static Command Tree() => Invocation.Local(
        "import", "The services of supervisord, a Procfile or pm2 as configuration; what has no counterpart is told",
        "agent import /etc/supervisor/supervisord.conf --out /etc/agent/conf.d/imported.yaml", ImportAsync, Source, Format, Into);

    private static async Task<int> ImportAsync(ParseResult parsed, CancellationToken stop)
    {
        var json = Invocation.WantsJson(parsed);
        try
        {
            var (imported, yaml) = Importer.Read(parsed.GetRequiredValue(Source), parsed.GetValue(Format));
            if (parsed.GetValue(Into) is { } file) await WriteAsync(file, yaml, stop).ConfigureAwait(false);
            if (json)
            {
                var notes = imported.Notes.Select(one => new ImportNoteAnswer(one.File, one.Line, one.Key, one.Text));
                Invocation.Say(JsonSerializer.Serialize(
                    new(imported.Services.Count, [.. notes], yaml), CliJson.Default.ImportAnswer));
                return ExitCodes.Done;
            }

            if (parsed.GetValue(Into) is null) Invocation.Draw(yaml);
            foreach (var note in imported.Notes) Invocation.Complain(Screen.Clean(note.ToString()));
            return ExitCodes.Done;
        }
        catch (ConfigException failure)
        {
            throw new CommandFailure(ExitCodes.Usage, $"nothing was imported\n{failure.Message}");
        }
    }

    /// <summary>Never over another file, and for its owner alone: environments may hold secrets.</summary>
    private static async Task WriteAsync(string file, string yaml, CancellationToken stop)
    {
        try
        {
            await using var stream = new FileStream(file, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            await stream.WriteAsync(Encoding.UTF8.GetBytes(yaml), stop).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCodes.Usage, $"{file}: {failure.Message}");
        }
    }

    private static Option<string?> OneFormat()
    {
        var format = new Option<string?>("--format")
        {
            Description = $"{Importer.Supervisord}, {Importer.Procfile} or {Importer.Pm2}; by the file's name if left out",
            HelpName = "FORMAT",
        };
        format.AcceptOnlyFromAmong(Importer.Supervisord, Importer.Procfile, Importer.Pm2);
        return format;
    }
}
