using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using Agent.Shell.Linux;

namespace Agent.Shell.Keeper;

/// <summary>
/// What a keeper leaves to the program that goes on in its process: the numbers of the descriptors that stay open, and
/// whose they are. It crosses in a file without a name, so nothing is left of an upgrade that failed.
/// </summary>
/// <param name="Gate">Locked, so that the directory has its keeper at every instant.</param>
/// <param name="Listener">Bound, so that whoever connects meanwhile waits and is not refused.</param>
internal sealed record Handover(int Form, int Gate, int Listener, IReadOnlyList<HandedChild> Children)
{
    /// <summary>Rises with each change of these records. A keeper goes on only as a program of the same form.</summary>
    public const int CurrentForm = 2;

    public const string Option = "--handover";

    private IReadOnlyList<int> Open => [Gate, Listener, .. Children.SelectMany(child => child.Open)];

    /// <summary>Goes on as that program. Returns only where it was refused, with the reason; all is as before then.</summary>
    public string Execute(SpawnOrder program, KeeperPaths paths)
    {
        var note = Descriptors.Memory("keeper-handover");
        try
        {
            Files.Write(note, "the handover", JsonSerializer.SerializeToUtf8Bytes(this, KeeperJson.Default.Handover), 0);
            foreach (var fd in Open) Descriptors.Inherit(fd, true);
            string[] words =
            [
                .. program.Command, .. paths.Command, Option, note.ToString(CultureInfo.InvariantCulture),
            ];
            return $"{words[0]}: {Errno.Text(Execution.Replace(words[0], words, program.Environment))}";
        }
        finally
        {
            foreach (var fd in Open) Descriptors.Inherit(fd, false);
            Descriptors.Close(note);
        }
    }

    /// <summary>What the program before left; from here on it is closed to children again.</summary>
    public static Handover Take(int note)
    {
        var bytes = File.ReadAllBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{note}"));
        Descriptors.Close(note);
        var handover = JsonSerializer.Deserialize(bytes, KeeperJson.Default.Handover)!;
        if (handover.Form != CurrentForm) throw new InvalidDataException($"a handover of form {handover.Form}");
        foreach (var fd in handover.Open) Descriptors.Inherit(fd, false);
        return handover;
    }
}

/// <summary>A child with all that was held open for it; -1 where nothing was.</summary>
/// <param name="Own">It is a child of this process, whichever program runs in it.</param>
internal sealed record HandedChild(KeptRow Row, bool Tree, bool Own, int Pidfd, int Input, int Output, int Error)
{
    /// <summary>Whether it is to tell that it is ready.</summary>
    public bool Notifies { get; init; }

    /// <summary>Where it does.</summary>
    public int Notify { get; init; } = -1;

    public IEnumerable<int> Open => ((int[])[Pidfd, Input, Output, Error, Notify]).Where(fd => fd >= 0);
}
