using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Effects;
using Agent.Shell.Observability;

namespace Agent.Shell.Containers.Apple;

/// <summary>One run of the `container` command, and its complaints as the seam tells them.</summary>
internal sealed class AppleCommand(string name, string folder) : IDisposable
{
    private readonly LocalCommand _run = new(folder);

    public string OutputFile => _run.OutputFile;

    public bool HasEnded => _run.HasEnded;

    /// <summary>A file of this run alone, for what must not stand in a command line.</summary>
    public string Write(string file, string text) => _run.Write(file, text);

    public string PathOf(string file) => _run.PathOf(file);

    public void Start(string program, IReadOnlyList<string> arguments)
    {
        try
        {
            _run.Start(program, arguments);
        }
        catch (IOException failure)
        {
            throw new ContainerException(ContainerFault.Unreachable, failure.Message);
        }
    }

    /// <summary>Its end, with what it printed; its own complaint where it failed.</summary>
    public async Task<string> EndAsync(TimeSpan limit, CancellationToken stop)
    {
        var end = await TakeAsync(limit, stop).ConfigureAwait(false) ?? throw new ContainerException(
            ContainerFault.TimedOut, FormattableString.Invariant($"no answer within {limit.TotalSeconds:0.#} s ({name})"));
        if (end.IsSuccess) return end.Output;
        throw new ContainerException(
            FaultOf(end.Error), end.Error.Length == 0 ? $"{name} ended with code {end.Code}" : BoundedText.Reason(end.Error));
    }

    public void Dispose() => _run.Dispose();

    private async Task<LocalEnd?> TakeAsync(TimeSpan limit, CancellationToken stop)
    {
        try
        {
            return await _run.EndAsync(limit, stop).ConfigureAwait(false);
        }
        catch (IOException failure)
        {
            throw new ContainerException(ContainerFault.Garbage, failure.Message);
        }
    }

    private static ContainerFault FaultOf(string error) =>
        error.Contains("not found", StringComparison.OrdinalIgnoreCase) ? ContainerFault.NotFound
        : error.Contains("already exists", StringComparison.OrdinalIgnoreCase) ? ContainerFault.Conflict
        : ContainerFault.Failed;
}
