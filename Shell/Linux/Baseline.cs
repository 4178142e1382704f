using System;
using System.IO;
using System.Runtime.InteropServices;

namespace Agent.Shell.Linux;

/// <summary>
/// What a child gets of this process without anybody having asked for it: the file mode mask, how soon it is killed when
/// memory is short, and how many files it may have open. While one of these lives they are the host's defaults, so that a
/// service neither inherits the protection of its supervisor nor the limits that the runtime raised for itself. It is
/// meant for the moment of a spawn: what this process opens meanwhile has these defaults too.
/// </summary>
internal readonly ref partial struct Baseline
{
    private const string OomScore = "/proc/self/oom_score_adj";
    private const string Even = "0";
    private const uint DefaultMask = 0x12;

    // Above it select(2) overruns its sets; who needs more raises it, up to the hard limit, or asks for openFiles.
    private const ulong DefaultOpenFiles = 1024;
    private const int OpenFiles = 7;

    private readonly uint _mask;
    private readonly Limit _files;
    private readonly string _score;

    private Baseline(uint mask, Limit files, string score)
    {
        _mask = mask;
        _files = files;
        _score = score;
    }

    public static Baseline Enter()
    {
        // First, as long as a descriptor may be had beyond the default's.
        var score = File.ReadAllText(OomScore).Trim();
        if (score != Even) File.WriteAllText(OomScore, Even);
        var mask = umask(DefaultMask);
        var files = default(Limit);
        if (getrlimit(OpenFiles, ref files) == 0 && files.Soft > DefaultOpenFiles)
        {
            var lowered = files with { Soft = DefaultOpenFiles };
            _ = setrlimit(OpenFiles, ref lowered);
        }

        return new(mask, files, score);
    }

    public void Dispose()
    {
        _ = umask(_mask);
        var files = _files;
        if (files.Soft > DefaultOpenFiles) _ = setrlimit(OpenFiles, ref files);
        if (_score == Even) return;
        try
        {
            File.WriteAllText(OomScore, _score);
        }
        catch (Exception failure) when (failure is UnauthorizedAccessException or IOException)
        {
            // Without CAP_SYS_RESOURCE a protection that was given up cannot be had again: then this one goes without.
        }
    }

    private record struct Limit(ulong Soft, ulong Hard);

    [LibraryImport("libc")]
    private static partial uint umask(uint mask);

    [LibraryImport("libc")]
    private static partial int getrlimit(int resource, ref Limit limit);

    [LibraryImport("libc")]
    private static partial int setrlimit(int resource, ref Limit limit);
}
