using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Api;
using Agent.Shell.Config;

namespace Agent.Shell.Cli;

/// <summary>`agent tree`: a process and all it started.</summary>
internal static class TreeVerb
{
    private static readonly Argument<string?> Name = OptionalName();

    public static Command Tree() => Invocation.Asking(
        "tree", "A process and all it started, with pids and commands; all processes if none is named", "agent tree web",
        TreeAsync, Name);

    /// <summary>Children below their parents; those whose parent is not of the family stand below the first.</summary>
    public static IEnumerable<string> Lines(TreeInfo tree)
    {
        yield return $"{Screen.Bold(Screen.Clean(tree.Label))} {Screen.Dim(tree.Id)}";
        if (tree.Processes.Count == 0)
        {
            yield return "   nothing of it runs";
            yield break;
        }

        var family = tree.Processes.Select(one => one.Pid).ToHashSet();
        var children = tree.Processes.ToLookup(one => family.Contains(one.Parent) && one.Parent != one.Pid ? one.Parent : 0);
        var open = new Stack<(TreeMember Member, string Before, bool Last)>();
        Push(children[0].ToList(), "");
        while (open.TryPop(out var next))
        {
            var (member, before, last) = next;
            yield return $"{before}{(last ? "└─ " : "├─ ")}{Line(member)}";
            Push(children[member.Pid].ToList(), before + (last ? "   " : "│  "));
        }

        if (tree.Left > 0) yield return $"   … and {tree.Left} more";

        void Push(List<TreeMember> members, string before)
        {
            for (var i = members.Count - 1; i >= 0; i--) open.Push((members[i], before, i == members.Count - 1));
        }
    }

    private static async Task<int> TreeAsync(ParseResult parsed, ApiClient client, CancellationToken stop)
    {
        var trees = new List<TreeInfo>();
        var name = parsed.GetValue(Name);
        foreach (var id in name is null ? await AllAsync(client, stop).ConfigureAwait(false)
            : [(await client.FindAsync(name, stop).ConfigureAwait(false)).Id])
        {
            try
            {
                trees.Add(await client.GetAsync(
                    $"/v1/processes/{id}/tree", WireJson.Default.TreeInfo, stop).ConfigureAwait(false));
            }
            catch (CommandFailure gone) when (gone.ExitCode == ExitCodes.NotFound && name is null)
            {
                // It was forgotten since it was listed.
            }
        }

        if (!Invocation.WantsJson(parsed)) Invocation.Say(trees.SelectMany(Lines));
        else if (name is not null) Invocation.Say(JsonSerializer.Serialize(trees[0], WireJson.Default.TreeInfo));
        else Invocation.Say(JsonSerializer.Serialize(trees, WireJson.Default.IReadOnlyListTreeInfo));
        return ExitCodes.Done;
    }

    private static async Task<IEnumerable<string>> AllAsync(ApiClient client, CancellationToken stop)
    {
        var all = await client.GetAsync(
            "/v1/processes", WireJson.Default.IReadOnlyListProcessInfo, stop).ConfigureAwait(false);
        return all.Where(one => one.Pid is not null).OrderBy(one => one.Label, StringComparer.Ordinal).Select(one => one.Id);
    }

    private static string Line(TreeMember one)
    {
        var memory = Sizes.Show(one.ProportionalBytes ?? one.ResidentBytes);
        var command = string.Join(' ', one.Command.Select(Screen.Clean));
        var cpu = Durations.Show(TimeSpan.FromMilliseconds(one.CpuMs));
        return $"{one.Pid} {command} {Screen.Dim($"({one.State}, {cpu} cpu, {memory})")}";
    }

    private static Argument<string?> OptionalName()
    {
        var name = new Argument<string?>("process")
        {
            Description = "An id, the beginning of one, or a label", Arity = ArgumentArity.ZeroOrOne,
        };
        name.CompletionSources.Add(Completion.Processes);
        return name;
    }
}
