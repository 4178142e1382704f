using System;
using System.Buffers;
using System.Security.Cryptography;
using Agent.Core.Host;
using Agent.Shell.Journal.Codec;
using Agent.Shell.Loop;

namespace Agent.Shell.Journal;

/// <summary>
/// Names a state by its content: the first half of the SHA-256 over the state's written form, as 32 hex digits. Two
/// builds that decided alike have the same digest at the same seq.
/// </summary>
internal static class StateDigest
{
    public const int Length = 32;

    public static string Of(HostState state) => Of(HostBinding.Instance, state);

    public static string Of<TState, TEvent, TEffect>(Binding<TState, TEvent, TEffect> machine, TState state)
    {
        var bytes = new ArrayBufferWriter<byte>(4096);
        using var json = new JsonOut(bytes);
        machine.Write(json, state);
        json.Flush();
        return Of(bytes.WrittenSpan);
    }

    public static string Of(ReadOnlySpan<byte> writtenState)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(writtenState, hash);
        return Convert.ToHexStringLower(hash[..(Length / 2)]);
    }
}
