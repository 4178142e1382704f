using System;

namespace Agent.Shell.Journal;

/// <summary>The disk refused a write or a sync. There is no retry: the agent stops.</summary>
internal sealed class JournalFailure : Exception
{
    public JournalFailure()
    {
    }

    public JournalFailure(string message)
        : base(message)
    {
    }

    public JournalFailure(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>The history itself is damaged: it can be neither replayed nor continued.</summary>
internal sealed class JournalDamage : Exception
{
    public JournalDamage()
    {
    }

    public JournalDamage(string message)
        : base(message)
    {
    }

    public JournalDamage(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public JournalDamage(string file, long offset, long expectedSeq, string detail)
        : this($"damaged journal: {file} at offset {offset}, where seq {expectedSeq} was due: {detail}. "
            + "Restore the file from a copy; or, to give up what follows, move this file and all later ones out of the "
            + "journal directory.")
    {
    }
}
