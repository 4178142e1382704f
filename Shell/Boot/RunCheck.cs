using System;
using System.IO;
using Agent.Core.Host;
using Agent.Shell.Config;
using Agent.Shell.Journal;
using Agent.Shell.Journal.Codec;
using Agent.Shell.Linux;
using Agent.Shell.Loop;

namespace Agent.Shell.Boot;

/// <summary>
/// `agent run --check`: whether this build could run here. Reads the configuration and folds the journal as a start does,
/// and changes nothing; an agent may be running.
/// </summary>
internal static class RunCheck
{
    /// <summary>The newest seq that it could read, or what stands in the way.</summary>
    public static (long Seq, string? Fault) Of(RunOptions options)
    {
        try
        {
            ConfigReader.Read(options.Paths, options.ConfigIsDefault);
            return (JournalRecovery.Look(HostBinding.Instance, options.Paths.Journal), null);
        }
        catch (Exception failure) when (failure is ConfigException or JournalDamage or UnknownRecordException
            or FileFailure or IOException or UnauthorizedAccessException)
        {
            return (0, failure.Message);
        }
    }
}
