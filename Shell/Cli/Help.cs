using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.IO;
using System.Linq;

namespace Agent.Shell.Cli;

/// <summary>The help of the whole program, by what one wants to do, and that of each command, with an example.</summary>
internal sealed class Help(HelpAction standard, IReadOnlyList<(string Title, IReadOnlyList<Command> Commands)> groups)
    : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    /// <summary>Gives every command below the root this help.</summary>
    public static void Install(RootCommand root, IReadOnlyList<(string Title, IReadOnlyList<Command> Commands)> groups)
    {
        var option = root.Options.OfType<HelpOption>().Single();
        option.Description = "This help; with a command, the command's";
        option.Action = new Help((HelpAction)option.Action!, groups);
    }

    public override int Invoke(ParseResult parseResult)
    {
        if (parseResult.CommandResult.Command is Verb verb)
        {
            standard.Invoke(parseResult);
            Invocation.Say(["Example:", $"  {verb.Example}"]);
        }
        else
        {
            Invocation.Say(Overview(parseResult.RootCommandResult.Command));
        }

        return ExitCodes.Done;
    }

    private IEnumerable<string> Overview(Command root)
    {
        const int Width = 12;
        yield return root.Description ?? "";
        yield return "";
        yield return "usage: agent COMMAND [options]";
        foreach (var (title, commands) in groups)
        {
            yield return "";
            yield return Screen.Bold(title);
            foreach (var command in commands) yield return $"  {command.Name.PadRight(Width)}{command.Description}";
        }

        yield return "";
        yield return Screen.Bold("With every command");
        foreach (var option in root.Options.Where(one => one.Recursive && !one.Hidden))
        {
            var names = string.Join(", ", option.Aliases.Where(one => one is not "-?" && one.StartsWith('-')).Append(option.Name));
            yield return $"  {$"{names} {option.HelpName}".PadRight(Width * 2)}{option.Description}";
        }

        yield return "";
        yield return "`agent COMMAND --help` tells more and gives an example.";
    }
}
