using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Config;
using Agent.Shell.Observability;

namespace Agent.Shell.Output;

/// <summary>The logs of all services, one for each name: a service that is made anew goes on with its name's.</summary>
internal sealed class ServiceLogs(string directory) : IDisposable
{
    // Words that a disk does not take in so long stay unwritten when their process is forgotten.
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Shared> _shared = new(StringComparer.Ordinal);
    private IReadOnlyDictionary<string, LogSettings?> _settings = new Dictionary<string, LogSettings?>();
    private LogFiler? _filer;
    private long _lostByRemoved;

    /// <summary>Bytes that did not get into the files since this agent started.</summary>
    public long BytesLost
    {
        get
        {
            lock (_gate) return _lostByRemoved + _shared.Values.Sum(one => one.Stdout.BytesLost + one.Stderr.BytesLost);
        }
    }

    /// <summary>
    /// What is kept of whom; null: nothing, and of a service that is not named, as much as by default. The logs that
    /// are there follow it at the next <see cref="StreamLogs.Apply"/>.
    /// </summary>
    public void Configure(IReadOnlyDictionary<string, LogSettings?> settings)
    {
        lock (_gate)
        {
            _settings = settings;
            foreach (var (label, shared) in _shared)
            {
                if (SettingsOf(label) is { } one) shared.Stdout.Settings = shared.Stderr.Settings = one;
            }
        }
    }

    /// <summary>The logs of a process of this name.</summary>
    public StreamLogs Of(string label, Rings rings)
    {
        lock (_gate)
        {
            if (!_shared.TryGetValue(label, out var shared))
            {
                var path = Path.Combine(directory, label);
                _shared[label] = shared = new(path, SettingsOf(label) ?? LogSettings.Default);
            }

            shared.Users++;
            return new(this, label, rings, shared);
        }
    }

    public void Dispose()
    {
        _filer?.Dispose();
        foreach (var shared in _shared.Values) shared.Close();
    }

    private LogSettings? SettingsOf(string label) =>
        _settings.TryGetValue(label, out var settings) ? settings : LogSettings.Default;

    /// <summary>Two logs under one name, and how many processes have that name: two while one takes the other's place.</summary>
    internal sealed class Shared(string path, LogSettings settings)
    {
        public LogReader StdoutReader { get; } = new(new(path, "stdout"));

        public LogReader StderrReader { get; } = new(new(path, "stderr"));

        public ServiceLog Stdout { get; } = new(new(path, "stdout"), settings, Tell, TimeProvider.System);

        public ServiceLog Stderr { get; } = new(new(path, "stderr"), settings, Tell, TimeProvider.System);

        public int Users { get; set; }

        public void Close()
        {
            Stdout.Dispose();
            Stderr.Dispose();
        }

        private static void Tell(LogLoss loss) => Log.Warn(
            "a log is incomplete", ("file", loss.Path), ("bytes", loss.Bytes), ("reason", loss.Reason));
    }

    /// <summary>The two streams of one process and where they go.</summary>
    internal sealed class StreamLogs(ServiceLogs logs, string label, Rings rings, Shared shared)
    {
        private LogFiler.Followed? _stdout;
        private LogFiler.Followed? _stderr;
        private bool _hasEnded;

        /// <summary>Null while nothing is kept.</summary>
        public LogReader? Stdout => _stdout is null ? null : shared.StdoutReader;

        public LogReader? Stderr => _stderr is null ? null : shared.StderrReader;

        /// <summary>Files what the rings hold and will hold, or, if nothing is to be kept, goes on no further.</summary>
        public void Apply()
        {
            lock (logs._gate)
            {
                var isKept = logs.SettingsOf(label) is not null;
                if (_hasEnded || isKept == (_stdout is not null)) return;
                if (isKept)
                {
                    logs._filer ??= new();
                    _stdout = logs._filer.Follow(rings.Stdout, shared.Stdout);
                    _stderr = logs._filer.Follow(rings.Stderr, shared.Stderr);
                }
                else
                {
                    _ = EndStreams();
                }
            }
        }

        /// <summary>Ends soon, with all filed that was captured if the disk takes it.</summary>
        public async Task EndAsync()
        {
            Task filed;
            lock (logs._gate)
            {
                _hasEnded = true;
                filed = EndStreams();
            }

            await filed.WaitAsync(EndPatience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lock (logs._gate)
            {
                // Of a disk that hangs, the thread that waits for it has the files.
                if (--shared.Users > 0 || !filed.IsCompletedSuccessfully) return;
                logs._shared.Remove(label);
                logs._lostByRemoved += shared.Stdout.BytesLost + shared.Stderr.BytesLost;
                shared.Close();
            }
        }

        private Task EndStreams()
        {
            var ending = Task.WhenAll(_stdout?.EndAsync() ?? Task.CompletedTask, _stderr?.EndAsync() ?? Task.CompletedTask);
            (_stdout, _stderr) = (null, null);
            return ending;
        }
    }
}
