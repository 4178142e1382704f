using System.Collections.Generic;
using System.IO;

namespace Agent.Shell.Keeper;

/// <summary>Where the keeper of one runtime directory keeps its things.</summary>
internal sealed record KeeperPaths(string StateDir, string RuntimeDir)
{
    /// <summary>The words that make this program the keeper of these directories.</summary>
    public IReadOnlyList<string> Command => ["keep", "--state-dir", StateDir, "--runtime-dir", RuntimeDir];

    public string Socket => Path.Combine(RuntimeDir, "keeper.sock");

    public string Lock => Path.Combine(RuntimeDir, "keeper.lock");

    public string Messages => Path.Combine(RuntimeDir, "keeper.log");

    /// <summary>Durable: children and their exits.</summary>
    public string Children => Path.Combine(StateDir, "keeper", "children.log");

    /// <summary>The children's FIFOs, `key.in`, `key.out` and `key.err`.</summary>
    public string Fifos => Path.Combine(RuntimeDir, "io");

    public string Input(string key) => Path.Combine(Fifos, key + ".in");

    public string Output(string key) => Path.Combine(Fifos, key + ".out");

    public string Error(string key) => Path.Combine(Fifos, key + ".err");

    /// <summary>Beside them: what the child of that key is known by.</summary>
    public string Ticket(string key) => Path.Combine(Fifos, key + ".ticket");
}
