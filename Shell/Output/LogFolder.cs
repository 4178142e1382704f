using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

namespace Agent.Shell.Output;

/// <summary>
/// The files of one stream of one service: `stdout.00000000000000000000.log`, each named by the position of its first
/// byte, so that no file is ever renamed and a crash confuses nothing; beside each its index, `.idx`.
/// </summary>
internal sealed class LogFolder(string directory, string stream)
{
    private const int Digits = 20;
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public string Directory => directory;

    public string DataAt(long position) => At(position, ".log");

    public string IndexAt(long position) => At(position, ".idx");

    /// <summary>The positions of the files that are there, oldest first.</summary>
    public List<long> Files() => [.. All().Where(one => one.IsData).Select(one => one.Position).Order()];

    public void Make() => System.IO.Directory.CreateDirectory(directory, Private);

    /// <summary>Removes what is older than the newest so many files, and an index whose file is gone.</summary>
    public void Keep(int files)
    {
        var oldest = Files().TakeLast(files).FirstOrDefault();
        foreach (var one in All().Where(one => one.Position < oldest).ToList())
        {
            File.Delete(one.IsData ? DataAt(one.Position) : IndexAt(one.Position));
        }
    }

    private IEnumerable<(long Position, bool IsData)> All()
    {
        if (!System.IO.Directory.Exists(directory)) yield break;
        foreach (var path in System.IO.Directory.EnumerateFiles(directory, stream + ".*"))
        {
            var name = Path.GetFileName(path.AsSpan())[(stream.Length + 1)..];
            if (name.Length != Digits + 4 || name[Digits..] is not (".log" or ".idx")) continue;
            if (long.TryParse(name[..Digits], NumberStyles.None, CultureInfo.InvariantCulture, out var position))
            {
                yield return (position, name[Digits..] is ".log");
            }
        }
    }

    private string At(long position, string suffix) => Path.Combine(
        directory, string.Create(CultureInfo.InvariantCulture, $"{stream}.{position:D20}{suffix}"));
}
