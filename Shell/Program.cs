namespace Agent.Shell;

internal static class Program
{
    public static int Main() => 0;
}
