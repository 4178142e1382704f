namespace Agent.Shell.Config;

/// <summary>How much of each of a service's two streams is kept on disk: so many files of at most so many bytes.</summary>
internal sealed record LogSettings(int MaxBytes, int Files)
{
    /// <summary>Below it, files change more often than people look.</summary>
    public const int LeastBytes = 64 << 10;

    /// <summary>A file that grows larger than this, no editor opens.</summary>
    public const int MostBytes = 1 << 30;

    /// <summary>With one file alone, each change of files would lose everything.</summary>
    public const int LeastFiles = 2;

    /// <summary>More is an archive, and has its place elsewhere.</summary>
    public const int MostFiles = 100;

    /// <summary>As much as supervisors usually keep: days of a quiet service, the last minutes of a flood.</summary>
    public static LogSettings Default { get; } = new(10_000_000, 5);
}
