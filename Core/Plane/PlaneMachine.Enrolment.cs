using Agent.Core.Model;
using Agent.Core.Time;
using Effect = Agent.Core.Plane.PlaneEffect;
using State = Agent.Core.Plane.PlaneState;

namespace Agent.Core.Plane;

/// <summary>Who is let in, and who is shut out.</summary>
public static partial class PlaneMachine
{
    private static Transition<State, Effect> Issue(
        State state, TokenId id, HostName host, Instant expires, Instant now)
    {
        if (state.Tokens.ContainsKey(id)) return Refuse(state, ErrorCode.Known, "this token was issued already");
        if (expires <= now) return Refuse(state, ErrorCode.InvalidInput, $"a token until {expires} is of no use at {now}");
        var tokens = state.Tokens;
        if (tokens.Count >= State.MaxTokens)
        {
            if (!OldestExpired(state, now).TryGet(out var oldest))
            {
                return Refuse(state, ErrorCode.RegistryFull, $"{State.MaxTokens} tokens are out, let some of them expire");
            }

            tokens = tokens.Remove(oldest);
        }

        var issued = state with { Tokens = tokens.AddOrUpdate(id, new EnrolmentToken(host, expires, None)) };
        return Go(WithDue(issued, expires + ExpiredTokensKept));
    }

    /// <summary>
    /// A token lets one key in. That key may come again with it, for the answer may have been lost; the certificate is then
    /// issued again.
    /// </summary>
    private static Transition<State, Effect> Enrol(State state, TokenId id, HostName host, string key, Instant now)
    {
        if (!state.Tokens.Find(id).TryGet(out var token)) return Refuse(state, ErrorCode.NoSuchToken, "no such token was issued");
        if (token.Host != host) return Refuse(state, ErrorCode.TokenForeign, $"the token is not for {host}");
        if (token.Expires <= now) return Refuse(state, ErrorCode.TokenExpired, $"the token expired at {token.Expires}");
        if (token.SpentBy.TryGet(out var spender))
        {
            return string.Equals(spender, key, StringComparison.Ordinal)
                ? Go(state, new Effect.Certify(host, key))
                : Refuse(state, ErrorCode.TokenSpent, "another key was certified with this token");
        }

        if (Meet(state, host).IsNone) return RefuseFull(state);
        return Go(
            state with { Tokens = state.Tokens.AddOrUpdate(id, token with { SpentBy = key }) },
            new Effect.Certify(host, key));
    }

    /// <summary>
    /// The newest certificate stays; one from before the host was shut out never comes to count. Who is shut out comes in
    /// again by a token alone, and those that were out then are gone: no renewal that was under way undoes it.
    /// </summary>
    private static Transition<State, Effect> Certify(State state, HostName name, Certificate certificate)
    {
        if (!Meet(state, name).TryGet(out var host)) return RefuseFull(state);
        if (host.Refuses(certificate)) return RefuseRevoked(state, name);
        if (host.IsRevoked && !state.Tokens.Exists(token => token.Host == name && token.SpentBy.IsSome)) return RefuseRevoked(state, name);
        if (host.Certificate.TryGet(out var newest))
        {
            if (newest == certificate) return Stay(state);
            if (certificate.NotBefore < newest.NotBefore)
            {
                return Refuse(state, ErrorCode.Stale, $"{name} has a newer certificate, {newest.Serial}");
            }
        }

        return Go(With(state, host with { Certificate = certificate }));
    }

    /// <summary>
    /// A host that this plane has not met may be shut out too: a plane that rebuilds itself may not have met it yet. Tokens
    /// that are out for it are of no use from now on. Certificates are dated by the wall's clock, which may be ahead of the
    /// loop's: the newest is shut out all the same.
    /// </summary>
    private static Transition<State, Effect> Revoke(State state, HostName name, Instant now)
    {
        if (!Meet(state, name).TryGet(out var host)) return RefuseFull(state);
        var tokens = state.Tokens.Filter(token => token.Host != name);
        if (host.IsRevoked) return tokens.Count == state.Tokens.Count ? Stay(state) : Go(state with { Tokens = tokens });
        var at = host.Certificate.TryGet(out var newest) ? Instant.Later(now, newest.NotBefore) : now;
        var revoked = With(state with { Tokens = tokens }, host with { RevokedAt = at });
        return host.Certificate.TryGet(out var certificate)
            ? Go(revoked, new Effect.Revoke(name, certificate))
            : Go(revoked);
    }

    private static Option<TokenId> OldestExpired(State state, Instant now)
    {
        var oldest = Option<(TokenId Id, Instant Expires)>.None;
        foreach (var (id, token) in state.Tokens.AsEnumerable())
        {
            if (token.Expires > now || (oldest.TryGet(out var best) && best.Expires <= token.Expires)) continue;
            oldest = Some((id, token.Expires));
        }

        return oldest.Map(found => found.Id);
    }
}
