using System;
using System.Collections.Generic;
using System.Globalization;
using Agent.Shell.Config;
using Agent.Shell.Containers;

namespace Agent.Shell.Cli;

/// <summary>
/// How far a pull or an import is, as one line that is drawn over itself. Each layer counts by the bytes that it has and
/// wants; one that is done stays done.
/// </summary>
internal sealed class ImageBar(Action<string> draw, Func<int> width, TimeProvider clock) : IProgress<ImageProgress>
{
    /// <summary>An image has at most 127 layers; what is more is the engine's talk.</summary>
    private const int MostLayers = 512;

    private const int BarLength = 24;

    /// <summary>As often as an eye follows.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<string, (long Bytes, long Total, bool Done)> _layers = new(StringComparer.Ordinal);
    private long? _drawn;

    public void Report(ImageProgress value)
    {
        Note(value);
        if (_drawn is { } before && clock.GetElapsedTime(before) < Pause) return;
        _drawn = clock.GetTimestamp();
        draw("\r\e[K" + Screen.Cut(Line(value.What), Math.Max(1, width() - 1)));
    }

    /// <summary>Leaves the line empty for what comes behind it.</summary>
    public void End()
    {
        if (_drawn is not null) draw("\r\e[K");
    }

    private void Note(ImageProgress step)
    {
        if (_layers.Count == MostLayers && !_layers.ContainsKey(step.Item)) return;
        var before = _layers.GetValueOrDefault(step.Item);
        var done = before.Done || step.What is "Pull complete" or "Already exists";

        // Unpacking counts the same bytes a second time.
        if (step.What is not ("Downloading" or "Loading layer" or "sent")) _layers[step.Item] = before with { Done = done };
        else _layers[step.Item] = (Math.Max(before.Bytes, step.Bytes), Math.Max(before.Total, step.Total), done);
    }

    private string Line(string what)
    {
        long bytes = 0, total = 0;
        var (done, layers) = (0, 0);
        foreach (var (item, layer) in _layers)
        {
            bytes += layer.Bytes;
            total += layer.Total;
            if (item.Length == 0) continue;
            layers++;
            if (layer.Done) done++;
        }

        var part = total > 0 ? Math.Min(1.0, (double)bytes / total) : 0;
        var full = (int)(part * BarLength);
        var bar = new string('#', full) + new string('.', BarLength - full);
        var size = total > 0 ? $"{Sizes.Show(bytes)} of {Sizes.Show(total)}" : bytes > 0 ? Sizes.Show(bytes) : "";
        var parts = layers > 0 ? string.Create(CultureInfo.InvariantCulture, $"{done}/{layers} layers") : "";
        return string.Join("  ", $"[{bar}]", size, parts, Screen.Clean(what));
    }
}
