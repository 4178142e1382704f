using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Linux;
using Agent.Shell.Loop;
using Agent.Shell.Trust;
using Microsoft.Win32.SafeHandles;

namespace Agent.Shell.Probes;

/// <summary>
/// Reads <c>X</c> and <c>X.sig</c>: a document of the type <c>agent/evidence</c>, signed by whom the trust file names
/// for evidence. Its own fields are <c>host</c>, which it must be about, and <c>findings</c>, each with <c>id</c>,
/// <c>status</c> (pass or fail) and, where it shows one, <c>framework</c> and <c>article</c>.
/// </summary>
internal sealed class SignedEvidence(Func<Checked<TrustFile>> trust, Func<string> name, WallClock wall) : IEvidenceReader
{
    public const string Type = "agent/evidence";

    /// <summary>Some five thousand findings.</summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>More than fit the bytes, so that the bytes are what bounds them.</summary>
    private const int MaxFindings = MaxBytes;

    /// <summary>Ids and articles are names; the longest in use have some 60 characters.</summary>
    private const int MaxNameLength = 128;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Task<EvidenceReading>> _reads = new(StringComparer.Ordinal);

    /// <summary>
    /// On a thread of the pool: a file system may hang, and then only the wait for it ends. Whoever asks for a path that
    /// is being read waits for that read, so that such a file system costs one thread and not one at each turn.
    /// </summary>
    public Task<EvidenceReading> ReadAsync(string path, CancellationToken stop)
    {
        lock (_gate)
        {
            if (!_reads.TryGetValue(path, out var read))
            {
                _reads.Add(path, read = Task.Run(() => ReadOnce(path), CancellationToken.None));
            }

            return read.WaitAsync(stop);
        }
    }

    private EvidenceReading ReadOnce(string path)
    {
        try
        {
            return Read(path);
        }
        finally
        {
            lock (_gate) _reads.Remove(path);
        }
    }

    private EvidenceReading Read(string path)
    {
        if (trust().Failed(out var keys, out var missing)) return new EvidenceReading.Refused(missing.ToString());
        if (!Path.IsPathRooted(path)) return new EvidenceReading.Refused("its path is not absolute");
        try
        {
            var document = Bytes(path, MaxBytes);
            var signatures = Bytes(path + ".sig", SignatureFile.MaxBytes);
            var demand = new Demand(RoleName.Evidence, Type, MaxBytes, wall.Now);
            return Verified.Check(document, signatures, keys, demand).Failed(out var good, out var why)
                ? new EvidenceReading.Refused(why.ToString())
                : Findings(good, name());
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return new EvidenceReading.Refused($"it cannot be read: {failure.Message}");
        }
    }

    private static EvidenceReading Findings(Verified document, string name)
    {
        var fields = document.Read();
        var about = fields.String("host");
        if (about != name) fields.Refuse("host", TrustFault.WrongHost, $"is {about}, this host is {name}");
        var findings = fields.Objects("findings", MaxFindings).Select(Finding).ToArray();
        fields.NoOthers();
        return fields.Refusal is { } refusal
            ? new EvidenceReading.Refused(refusal.ToString())
            : new EvidenceReading.Verified(document.SignedAt, findings);
    }

    private static Finding Finding(Fields fields)
    {
        var id = fields.String("id");
        var status = fields.String("status");
        var framework = fields.OptionalString("framework");
        var article = fields.OptionalString("article");
        fields.NoOthers();
        if (status is not ("pass" or "fail")) fields.Refuse("status", "must be pass or fail");
        if (!IsName(id)) fields.Refuse("id", "is no name");
        if (framework is not null && !IsName(framework)) fields.Refuse("framework", "is no name");
        if (article is not null && !IsName(article)) fields.Refuse("article", "is no name");
        return new(id, status == "pass", framework, article);
    }

    private static bool IsName(string text) => text.Length is > 0 and <= MaxNameLength && !text.Any(char.IsControl);

    /// <summary>At most one byte too many, for the check to see that it is too long. A FIFO is not waited on.</summary>
    private static byte[] Bytes(string path, int most)
    {
        var fd = Descriptors.Open(path, Descriptors.ReadOnly);
        if (fd < 0) throw new IOException($"{path}: {Errno.Text(-fd)}");
        using var handle = new SafeFileHandle(fd, ownsHandle: true);
        using var file = new FileStream(handle, FileAccess.Read, bufferSize: 0);
        var bytes = new byte[most + 1];
        return bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
    }
}
