using System;
using System.IO;
using System.Net.Http;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Rollout;

namespace Agent.Shell.Probes;

/// <summary>A GET that is answered with the status asked for and, if one is given, a text in the body.</summary>
internal static class HttpProbe
{
    /// <summary>A page made to be probed is shorter; a body that never ends is read no further.</summary>
    public const int MaxBodyBytes = 64 << 10;

    public static async Task<ProbeResult> RunAsync(ProbeCheck.Http check, CancellationToken limit)
    {
        if (AddressOf(check.Address) is not { } address)
        {
            return ProbeResult.Inconclusive("its address is no http or https address");
        }

        try
        {
            using var answer = await OneAnswer.GetAsync(address, socket: null, limit).ConfigureAwait(false);
            var status = (int)answer.StatusCode;
            var seen = FormattableString.Invariant($"status {status}");
            if (status != check.Status)
            {
                return ProbeResult.Failed(FormattableString.Invariant($"{seen}, not {check.Status}"));
            }

            if (!check.Contains.TryGet(out var text)) return ProbeResult.Passed(seen);
            return await ContainsAsync(answer, Encoding.UTF8.GetBytes(text), limit).ConfigureAwait(false)
                ? ProbeResult.Passed($"{seen}, and the text is there")
                : ProbeResult.Failed($"the first 64 KiB of the body do not contain \"{text}\"");
        }
        catch (HttpRequestException failure) when (!limit.IsCancellationRequested)
        {
            return BrokenConnection.Judge(failure);
        }
        catch (IOException) when (!limit.IsCancellationRequested)
        {
            return ProbeResult.Failed("the connection broke within the body");
        }
    }

    /// <summary>Credentials in an address would not be sent: one that has them asks for what cannot be done.</summary>
    private static Uri? AddressOf(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            && address is { Host.Length: > 0, UserInfo: "" }
            ? address
            : null;

    /// <summary>Ends with the first match, so that a body that trickles on costs nothing more.</summary>
    private static async Task<bool> ContainsAsync(HttpResponseMessage answer, byte[] text, CancellationToken limit)
    {
        var body = await answer.Content.ReadAsStreamAsync(limit).ConfigureAwait(false);
        await using var closed = body.ConfigureAwait(false);
        var seen = new byte[MaxBodyBytes];
        var length = 0;
        while (true)
        {
            var count = await body.ReadAsync(seen.AsMemory(length), limit).ConfigureAwait(false);
            var from = Math.Max(0, length - text.Length + 1);
            length += count;
            if (seen.AsSpan(from, length - from).IndexOf(text) >= 0) return true;
            if (count == 0 || length == seen.Length) return false;
        }
    }
}
