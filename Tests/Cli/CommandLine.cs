using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Tests.EndToEnd;

namespace Agent.Tests.Cli;

/// <summary>One call of the agent's command line that is still under way, its three streams in the test's hands.</summary>
internal sealed class CommandLine : IDisposable
{
    private readonly Process _process;
    private readonly Heard _output = new();
    private readonly Heard _errors = new();
    private readonly Task _read;

    public CommandLine(AgentUnderTest agent, params IReadOnlyList<string> words)
    {
        var start = new ProcessStartInfo(AgentUnderTest.Binary)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var word in words) start.ArgumentList.Add(word);
        start.Environment["AGENT_SOCKET"] = agent.Socket;
        _process = Process.Start(start)!;
        _read = Task.WhenAll(
            _output.ListenAsync(_process.StandardOutput.BaseStream), _errors.ListenAsync(_process.StandardError.BaseStream));
    }

    public Stream Input => _process.StandardInput.BaseStream;

    public byte[] Output => _output.Bytes;

    public byte[] Errors => _errors.Bytes;

    public string OutputText => System.Text.Encoding.UTF8.GetString(Output);

    public string ErrorText => System.Text.Encoding.UTF8.GetString(Errors);

    public void Say(string text)
    {
        Input.Write(System.Text.Encoding.UTF8.GetBytes(text));
        Input.Flush();
    }

    public void Signal(int number) => Xunit.Assert.Equal(0, Native.Kill(_process.Id, number));

    /// <summary>What a line of bash says on its standard output.</summary>
    public static async Task<string> ShellAsync(string line)
    {
        var start = new ProcessStartInfo("/bin/bash") { RedirectStandardOutput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(line);
        using var shell = Process.Start(start)!;
        return await shell.StandardOutput.ReadToEndAsync();
    }

    /// <summary>Its exit code, when all that it said is here.</summary>
    public async Task<int> EndAsync()
    {
        using var patience = new CancellationTokenSource(AgentUnderTest.Patience);
        await _process.WaitForExitAsync(patience.Token);
        await _read;
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    /// <summary>What one stream has said so far.</summary>
    private sealed class Heard
    {
        private readonly Lock _gate = new();
        private byte[] _bytes = new byte[64 << 10];
        private int _count;

        public byte[] Bytes
        {
            get
            {
                lock (_gate) return _bytes[.._count];
            }
        }

        public async Task ListenAsync(Stream from)
        {
            var buffer = new byte[64 << 10];
            while (await from.ReadAsync(buffer) is > 0 and var got) Add(buffer.AsSpan(0, got));
        }

        private void Add(ReadOnlySpan<byte> bytes)
        {
            lock (_gate)
            {
                if (_count + bytes.Length > _bytes.Length) Array.Resize(ref _bytes, 2 * (_count + bytes.Length));
                bytes.CopyTo(_bytes.AsSpan(_count));
                _count += bytes.Length;
            }
        }
    }
}
