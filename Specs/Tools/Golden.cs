using System.IO;
using Xunit;

namespace Agent.Specs.Tools;

/// <summary>
/// Compares text with a file beside the spec. With UPDATE_TRACES=1 in the environment the file is written instead, and
/// its diff is what is reviewed.
/// </summary>
public static class Golden
{
    public static void Check(string text, string name, string specFile)
    {
        var path = Path.Combine(Path.GetDirectoryName(specFile)!, "Traces", name + ".trace");
        if (Environment.GetEnvironmentVariable("UPDATE_TRACES") == "1")
        {
            File.WriteAllText(path, text);
            return;
        }

        Assert.True(File.Exists(path), $"there is no trace {name}; write it with UPDATE_TRACES=1 and read it");
        Assert.Equal(File.ReadAllText(path), text);
    }
}
