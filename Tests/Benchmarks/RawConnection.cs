using System;
using System.Globalization;
using System.IO;
using System.Net.Sockets;
using System.Text;

namespace Agent.Benchmarks;

/// <summary>One keep-alive connection to the agent's socket, with as little of a client as an answer needs.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly byte[] _answer = new byte[1 << 20];

    public RawConnection(string path) => _socket.Connect(new UnixDomainSocketEndPoint(path));

    public static byte[] Get(string path) => Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: agent\r\n\r\n");

    public static byte[] Post(string path, string json) => Encoding.ASCII.GetBytes(
        $"POST {path} HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\nContent-Length: {json.Length}\r\n\r\n{json}");

    public int Ask(byte[] request)
    {
        Send(request);
        return Receive();
    }

    public void Send(byte[] request) => _socket.Send(request);

    /// <summary>Reads one whole answer; answers its status.</summary>
    public int Receive()
    {
        var got = 0;
        while (true)
        {
            var read = _socket.Receive(_answer, got, _answer.Length - got, SocketFlags.None);
            if (read == 0) throw new IOException("the agent closed the connection");
            got += read;
            if (IsWhole(_answer.AsSpan(0, got))) return int.Parse(_answer.AsSpan(9, 3), CultureInfo.InvariantCulture);
        }
    }

    public void Dispose() => _socket.Dispose();

    private static bool IsWhole(ReadOnlySpan<byte> answer)
    {
        var head = answer.IndexOf("\r\n\r\n"u8);
        if (head < 0) return false;
        var field = answer[..head].IndexOf("Content-Length: "u8);
        if (field < 0) return answer[..head].IndexOf("chunked"u8) < 0 || answer.EndsWith("\r\n0\r\n\r\n"u8);
        var digits = answer[(field + "Content-Length: ".Length)..];
        return answer.Length >= head + 4 + int.Parse(digits[..digits.IndexOf((byte)'\r')], CultureInfo.InvariantCulture);
    }
}
