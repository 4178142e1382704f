using System;

namespace Agent.Tests.Pki;

/// <summary>Ends work at its n-th step on disk, as a kill would.</summary>
internal sealed class Crash(int after)
{
    private int _left = after;

    public bool Happened { get; private set; }

    public void At(string step)
    {
        if (_left-- > 0) return;
        Happened = true;
        throw new OperationCanceledException($"killed before: {step}");
    }

    /// <summary>Does the work up to the crash; true if it was cut short.</summary>
    public static bool Cuts(int after, Action<Action<string>> work)
    {
        var crash = new Crash(after);
        try
        {
            work(crash.At);
        }
        catch (OperationCanceledException) when (crash.Happened)
        {
            // That is what was asked for.
        }

        return crash.Happened;
    }
}
