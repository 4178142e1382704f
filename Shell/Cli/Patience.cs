using System;
using System.Diagnostics;
using System.IO;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Linux;

namespace Agent.Shell.Cli;

/// <summary>
/// Asks again while nobody answers. A process outlives its agent, so whoever is attached to it waits for the next one;
/// only for what may be asked twice.
/// </summary>
internal static class Patience
{
    // An upgrade takes seconds; a journal's worth of recovery a few more.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);

    /// <exception cref="CommandFailure">Nobody answered for a minute, or what was asked was refused.</exception>
    public static async Task<T> AskAsync<T>(Func<Task<T>> ask, CancellationToken stop)
    {
        Stopwatch? silence = null;
        while (true)
        {
            try
            {
                return await ask().ConfigureAwait(false);
            }
            catch (Exception failure) when (IsSilence(failure))
            {
                silence ??= Stopwatch.StartNew();
                if (silence.Elapsed > Longest) throw;
            }

            await Task.Delay(Between, stop).ConfigureAwait(false);
        }
    }

    public static bool IsSilence(Exception failure) => failure is HttpRequestException
        or IOException { HResult: not Errno.Pipe } or CommandFailure { ExitCode: ExitCodes.NoAgent };
}
