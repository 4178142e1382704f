namespace Agent.Shell.Cli;

/// <summary>Completion scripts: they ask the command tree itself, and a living agent for names and ids.</summary>
internal static class Completion
{
    /// <summary>The hidden command that the scripts call with the words typed so far.</summary>
    public const string Verb = "__complete";

    public static string? Script(string shell) => shell switch
    {
        "bash" => """
            _agent() {
                local IFS=$'\n'
                COMPREPLY=($(agent __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
            }
            complete -F _agent agent
            """,
        "zsh" => """
            #compdef agent
            _agent() { compadd -- ${(f)"$(agent __complete "${(@)words[2,CURRENT]}" 2>/dev/null)"} }
            compdef _agent agent
            """,
        "fish" => """
            complete -c agent -f -a '(agent __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
            """,
        _ => null,
    };
}
