using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;

namespace Agent.Shell.Linux;

/// <summary>A null-terminated array of C strings, in one block.</summary>
internal readonly unsafe ref struct NativeStrings
{
    private readonly byte* _block;

    public NativeStrings(IReadOnlyList<string> strings)
    {
        var table = (strings.Count + 1) * sizeof(byte*);
        var length = table;
        foreach (var text in strings) length += Encoding.UTF8.GetByteCount(text) + 1;
        _block = (byte*)NativeMemory.Alloc((nuint)length);
        var at = _block + table;
        for (var i = 0; i < strings.Count; i++)
        {
            Pointer[i] = at;
            var written = Encoding.UTF8.GetBytes(strings[i], new Span<byte>(at, (int)(_block + length - at)));
            at[written] = 0;
            at += written + 1;
        }

        Pointer[strings.Count] = null;
    }

    public byte** Pointer => (byte**)_block;

    public void Dispose() => NativeMemory.Free(_block);
}
