namespace Agent.Core.Model;

/// <summary>
/// Reads an Option in the shape of the BCL's TryGet, so that a condition can name the value it tests.
/// </summary>
public static class OptionReading
{
    public static bool TryGet<T>(this Option<T> option, out T value)
    {
        value = option.IfNoneUnsafe(default(T)!)!;
        return option.IsSome;
    }
}
