using System;
using System.Security.Cryptography;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Plane;
using Agent.Core.Time;
using Agent.Shell.Api;
using Agent.Shell.Pki;
using Agent.Shell.Uplink;
using Microsoft.AspNetCore.Http;

namespace Agent.Shell.Plane;

/// <summary>How a host gets its certificate: the first for a token, the next for the one it has.</summary>
internal sealed class EnrolCalls(PlaneParts parts)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public Answer Authority() =>
        new Answer.Content(StatusCodes.Status200OK, "application/x-pem-file", Encoding.ASCII.GetBytes(parts.Authority.Pem), []);

    /// <summary>The token is spent by a key: asked again with the same key, a lost answer is given again.</summary>
    public async Task<Answer> EnrolAsync(Call call)
    {
        var (request, refused) = await call.ReadAsync(PlaneRequests.Default.EnrolRequest);
        if (request is null) return refused!;
        if (!HostName.Parse(request.Host).TryGet(out var host)) return Answer.Invalid("host", $"{request.Host} is no name of a host");
        if (!TokenId.Parse(EnrolToken.HashOf(request.Token)).TryGet(out var token)) return Answer.Invalid("token", "it is no token");

        // Strangers may come here as often as they like: what is no token of ours is answered without an event.
        if (!parts.Loop.Current.State.Tokens.ContainsKey(token))
        {
            return Answer.Refuse(new Loop.Refusal(ErrorCode.NoSuchToken, "no such token was issued, or it is long over"));
        }

        // Nor is a token that is over, or another's, worth a record each time somebody comes with it.
        var asked = new PlaneEvent.EnrolRequested(token, host, KeyOf(request.Csr, host));
        if (RefusalOf(asked) is { } vain) return Answer.Refuse(vain);
        if (parts.Quotas.Take(host) is { } wait) return PlaneRoutes.TooMany(call, wait, "this host asks too often");

        // Dated before it is asked for: whoever is shut out after this instant is not let in by it.
        await PastRevocationAsync(host, call.Stop);
        var now = parts.Wall.Now;
        var decision = await parts.Loop.AskAsync(asked, call.Stop);
        return decision.Refusal is { } refusal ? Answer.Refuse(refusal) : await CertifyAsync(call, request.Csr, host, now);
    }

    /// <summary>
    /// Whoever has a good certificate gets the next one, for the same name and a key of its choice. He is judged again when
    /// he has said all: whoever is shut out while he speaks gets none.
    /// </summary>
    public async Task<Answer> RenewAsync(Call call, Caller.Host host)
    {
        var (request, refused) = await call.ReadAsync(PlaneRequests.Default.RenewRequest);
        if (request is null) return refused!;
        var now = parts.Wall.Now;
        parts.Door.Judge(host);
        return await CertifyAsync(call, request.Csr, host.Name, now);
    }

    /// <summary>Whether the plane would refuse that, as it stands.</summary>
    private Loop.Refusal? RefusalOf(PlaneEvent.EnrolRequested asked)
    {
        var step = PlaneMachine.Step(parts.Loop.Current.State, new(parts.Loop.Now, asked));
        foreach (var effect in step.Effects)
        {
            if (effect is PlaneEffect.Reject(var code, var reason)) return new(code, reason);
        }

        return null;
    }

    private async Task<Answer> CertifyAsync(Call call, string csr, HostName host, Instant now)
    {
        var issued = parts.Authority.Issue(csr, host, now);
        var certificate = new Certificate(issued.Serial, issued.NotBefore, issued.NotAfter);
        var decision = await parts.Loop.AskAsync(new PlaneEvent.Certified(host, certificate), call.Stop);
        return decision.Refusal is { } refusal
            ? Answer.Refuse(refusal)
            : Answer.Json(new(issued.Pem, parts.Authority.Pem), PlaneAnswers.Default.CertificateAnswer, StatusCodes.Status201Created);
    }

    /// <summary>
    /// A certificate tells its beginning in whole seconds, so one from the second in which its host was shut out would not
    /// count as later than that. A clock that was set back further than a second is not waited for.
    /// </summary>
    private async Task PastRevocationAsync(HostName name, CancellationToken stop)
    {
        var revoked = parts.Loop.Current.State.Hosts.Find(name).Bind(host => host.RevokedAt);
        if (!revoked.TryGet(out var at)) return;
        var next = new Instant(((at.UnixMilliseconds / 1000) + 1) * 1000);
        for (var wait = next - parts.Wall.Now; wait > TimeSpan.Zero && wait <= Second; wait = next - parts.Wall.Now)
        {
            await Task.Delay(wait, stop);
        }
    }

    /// <summary>A key by the digest of its public half.</summary>
    private static string KeyOf(string csr, HostName host) =>
        Convert.ToHexStringLower(SHA256.HashData(SigningRequest.Read(csr, host.Value).ExportSubjectPublicKeyInfo()));
}
