using System;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using Agent.Shell.Linux;

namespace Agent.Shell.Containers;

/// <summary>
/// Tells this agent's containers from those of every other: 128 random bits as hexadecimal digits, made once and kept in
/// the state directory. An agent with another state directory is another one.
/// </summary>
internal static class InstanceId
{
    private const int Bytes = 16;

    /// <summary>
    /// The id, durable before it is used for the first time. A file that holds anything else is refused: with a new id the
    /// agent would take its own containers for somebody else's.
    /// </summary>
    /// <exception cref="IOException">The file is there and is no id.</exception>
    /// <exception cref="FileFailure">It cannot be written.</exception>
    public static string Read(string path)
    {
        if (!File.Exists(path))
        {
            var made = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Bytes));
            Files.Replace(path, Encoding.ASCII.GetBytes(made + "\n"));
            return made;
        }

        var text = File.ReadAllText(path).TrimEnd('\n');
        return text.Length == Bytes * 2 && text.All(char.IsAsciiHexDigitLower)
            ? text
            : throw new IOException(
                $"{path} does not hold the 32 hexadecimal digits by which this agent knows its containers; put back what was "
                + "there (label agent.instance of its containers), or remove the file to begin anew without them");
    }
}
