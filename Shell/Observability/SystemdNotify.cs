using System;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Agent.Shell.Observability;

/// <summary>
/// Tells systemd how the agent is (sd_notify(3)): one datagram to the socket that NOTIFY_SOCKET names. Silent where
/// there is none; a lost notification is systemd's to notice.
/// </summary>
internal sealed class SystemdNotify
{
    private readonly string? _socket = Environment.GetEnvironmentVariable("NOTIFY_SOCKET");

    /// <summary>
    /// How often the watchdog wants to hear; half of what systemd allows, as it asks for. None: no watchdog.
    /// </summary>
    public TimeSpan? WatchdogInterval { get; } =
        long.TryParse(
            Environment.GetEnvironmentVariable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var usec)
        && usec > 0
            ? TimeSpan.FromMicroseconds(usec / 2.0)
            : null;

    public void Ready(string status) => Send($"READY=1\nSTATUS={status}");

    public void Alive() => Send("WATCHDOG=1");

    public void Reloaded(string status) => Send($"READY=1\nSTATUS={status}");

    /// <summary>Something is under way that needs no answer of systemd's.</summary>
    public void Busy(string status) => Send($"STATUS={status}");

    public void Stopping(string status) => Send($"STOPPING=1\nSTATUS={status}");

    private void Send(string message)
    {
        if (string.IsNullOrEmpty(_socket)) return;
        // A leading @ is systemd's spelling of the abstract namespace.
        var path = _socket[0] == '@' ? '\0' + _socket[1..] : _socket;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTo(Encoding.UTF8.GetBytes(message), new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException failure)
        {
            Log.Warn("systemd was not told", ("socket", _socket), ("error", failure.Message));
        }
    }
}
