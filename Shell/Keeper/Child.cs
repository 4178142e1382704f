using Agent.Shell.Linux;

namespace Agent.Shell.Keeper;

/// <summary>One spawn and what the keeper holds open for it.</summary>
internal sealed class Child(KeptRow row, bool tree, bool own)
{
    public KeptRow Row { get; set; } = row;

    public string Key => Row.Key;

    public bool Tree { get; } = tree;

    /// <summary>
    /// Started in this very process, which is its parent, whichever program runs in it. Otherwise by a keeper that died.
    /// </summary>
    public bool IsOwn { get; } = own;

    public bool HasEnded => Row.Exit is not null;

    /// <summary>What the epoll tells of it with, once it is watched: its own for as long as this program runs.</summary>
    public ulong Mark { get; set; }

    public int Pidfd { get; set; } = -1;

    /// <summary>Held for writing, so that the child sees no end of file when the agent dies.</summary>
    public int Input { get; set; } = -1;

    /// <summary>Held for reading, so that last words stay in the pipe until the agent has read them.</summary>
    public int Output { get; set; } = -1;

    public int Error { get; set; } = -1;

    /// <summary>Whether it is to tell that it is ready.</summary>
    public bool IsNotifying { get; init; }

    /// <summary>Where it does, while it lives.</summary>
    public NotifySocket? Notify { get; set; }

    public void CloseInput()
    {
        if (Input >= 0) Descriptors.Close(Input);
        Input = -1;
    }

    public void Close()
    {
        CloseInput();
        foreach (var fd in (int[])[Pidfd, Output, Error])
        {
            if (fd >= 0) Descriptors.Close(fd);
        }

        Pidfd = Output = Error = -1;
        EndNotify();
    }

    public void EndNotify()
    {
        Notify?.Dispose();
        Notify = null;
    }

    public ChildFact Spawned() => new(ChildFact.Spawned, Row with { Exit = null }) { Tree = Tree, Notify = IsNotifying };

    public ChildFact Exited() => new(ChildFact.Exited, Row) { Tree = Tree };
}
