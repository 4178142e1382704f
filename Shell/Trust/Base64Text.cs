using System;

namespace Agent.Shell.Trust;

/// <summary>Base64 with padding, in the one form that its bytes have: no blanks, no loose bits at the end.</summary>
internal static class Base64Text
{
    /// <summary>The bytes, or null where the text is not what encoding them would give.</summary>
    public static byte[]? Decode(string text)
    {
        var bytes = new byte[text.Length / 4 * 3];
        if (!Convert.TryFromBase64String(text, bytes, out var count)) return null;
        return Convert.ToBase64String(bytes, 0, count) == text ? bytes[..count] : null;
    }
}
