using System.Diagnostics;
using System.IO;
using Xunit;

namespace Agent.Tests.Support;

/// <summary>Programs that tests write.</summary>
internal static class Executable
{
    /// <summary>
    /// Another process writes it. Had this one the file open for writing, a child that some other thread forks at that
    /// moment would have it open too until it executes, and to run the program would fail with ETXTBSY.
    /// </summary>
    public static void Write(string path, string text)
    {
        var start = new ProcessStartInfo("install") { RedirectStandardInput = true, RedirectStandardError = true };
        foreach (var word in (string[])["-m", "700", "/dev/stdin", path]) start.ArgumentList.Add(word);
        using var install = Process.Start(start)!;
        try
        {
            install.StandardInput.Write(text);
            install.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended already; why is what it said.
        }

        var said = install.StandardError.ReadToEnd();
        install.WaitForExit();
        Assert.True(install.ExitCode == 0, $"install {path} ended with {install.ExitCode}: {said}");
    }

    /// <summary>The same with what /bin/sh is to do.</summary>
    public static void WriteScript(string path, string body) => Write(path, $"#!/bin/sh\n{body}\n");
}
