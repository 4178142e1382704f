namespace Agent.Shell.Docker;

/// <summary>What one look at a daemon's socket told.</summary>
internal abstract record PingAnswer
{
    private PingAnswer() { }

    /// <summary>
    /// It serves. <paramref name="Version"/> is what it calls itself, where it said so; <paramref name="Pid"/> is the
    /// process that listens, where the kernel knows one.
    /// </summary>
    internal sealed record Answered(string? Version, int? Pid) : PingAnswer;

    /// <summary>
    /// It may yet come. While <paramref name="Listening"/> somebody holds the socket and does not answer well; else
    /// there is no socket.
    /// </summary>
    internal sealed record NotYet(string Detail, bool Listening) : PingAnswer;

    /// <summary>There is a socket, and nobody behind it lets us in.</summary>
    internal sealed record Refused(string Detail) : PingAnswer;
}
