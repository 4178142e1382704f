using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;

namespace Agent.Shell.Journal;

/// <summary>
/// A journal as it stands, made whole in another folder, where it can be replayed on any machine: every whole record in the
/// segment that it has here, and the snapshot that the oldest one begins with. Secrets were never in it.
/// </summary>
internal static class JournalExport
{
    /// <summary>How many records went to the folder, which is made and must be empty.</summary>
    /// <exception cref="JournalDamage">The journal is damaged; what is whole before the damage is in the folder.</exception>
    /// <exception cref="IOException">The folder cannot be written to, or is not empty.</exception>
    public static long To(string directory, string folder)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (Directory.EnumerateFileSystemEntries(folder).Any()) throw new IOException($"{folder} is not empty, name another");
        var first = JournalReplay.FilesOf(directory)[0];
        var snapshot = Path.ChangeExtension(first, JournalFiles.Snapshot);
        if (File.Exists(snapshot)) File.Copy(snapshot, Path.Combine(folder, Path.GetFileName(snapshot)));
        var (count, segment, output) = (0L, "", Stream.Null);
        try
        {
            JournalReader.Read(directory, 0, (record, file, _) =>
            {
                if (file != segment)
                {
                    output.Dispose();
                    (segment, output) = (file, File.Create(Path.Combine(folder, Path.GetFileName(file))));
                }

                var check = Crc32C.Of(record.Json).ToString("x8", CultureInfo.InvariantCulture);
                output.Write(Encoding.ASCII.GetBytes(check + " "));
                output.Write(record.Json);
                output.WriteByte((byte)'\n');
                return ++count > 0;
            });
        }
        finally
        {
            output.Dispose();
        }

        return count;
    }
}
