using System;
using System.IO;

namespace Agent.Shell.Keeper;

/// <summary>
/// What a keeper draws for one child before it starts it: the proof that a process is this child or was started by it, and
/// the name of the abstract socket on which it tells that it is ready. Anybody may write a name into an environment or take
/// a socket's name; nobody can guess these. They lie beside the child's FIFOs, for the next keeper.
/// </summary>
internal sealed record Ticket(string Proof, string Notify)
{
    private const int Bytes = 16;

    /// <exception cref="IOException">There is no room for it, or no randomness.</exception>
    public static Ticket Issue(string path)
    {
        // Not by the library's generator: it brings OpenSSL along, for which the keeper has no other use.
        Span<byte> random = stackalloc byte[2 * Bytes];
        using (var source = new FileStream("/dev/urandom", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0))
        {
            source.ReadExactly(random);
        }

        var ticket = new Ticket(Convert.ToHexStringLower(random[..Bytes]), Convert.ToHexStringLower(random[Bytes..]));
        File.WriteAllText(path, $"{ticket.Proof} {ticket.Notify}");
        return ticket;
    }

    /// <summary>The one that was drawn; nothing where there is none, or only half of it.</summary>
    public static Ticket? Read(string path)
    {
        try
        {
            string[] words = File.ReadAllText(path).Split(' ');
            return words is [{ Length: 2 * Bytes } proof, { Length: 2 * Bytes } notify] ? new(proof, notify) : null;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
