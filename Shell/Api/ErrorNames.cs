using Agent.Core.Model;

namespace Agent.Shell.Api;

/// <summary>A refusal's stable name on the wire, its HTTP status, and what it means in general.</summary>
internal sealed record ErrorName(string Code, int Status, string Title);

/// <summary>The one table of refusals: what Core says, and what only this API can say.</summary>
internal static class ErrorNames
{
    public static readonly ErrorName NoSuchProcess = new("no-such-process", 404, "There is no such process");
    public static readonly ErrorName NoSuchRollout = new("no-such-rollout", 404, "There is no such rollout");
    public static readonly ErrorName NoSuchContainer = new("no-such-container", 404, "There is no such container");
    public static readonly ErrorName NoSuchCompanion = new("no-such-companion", 404, "There is no such companion");
    public static readonly ErrorName InvalidInput = new("invalid-input", 400, "The request is not valid");
    public static readonly ErrorName Busy = new("busy", 409, "It cannot be done right now");
    public static readonly ErrorName NotAllowed = new("not-allowed", 403, "You may not do this");
    public static readonly ErrorName Stopping = new("stopping", 409, "It is being stopped");
    public static readonly ErrorName TooLarge = new("too-large", 413, "The request is too large");
    public static readonly ErrorName Closed = new("closed", 409, "Its standard input is closed");
    public static readonly ErrorName WaitTimeout = new("wait-timeout", 408, "It has not ended in time");
    public static readonly ErrorName NoPlane = new("no-plane", 404, "This host has no plane");
    public static readonly ErrorName UpgradeRefused = new("upgrade-refused", 422, "That program cannot take over");
    public static readonly ErrorName NotFound = new("not-found", 404, "There is nothing at this path");
    public static readonly ErrorName WrongMethod = new("wrong-method", 405, "This path does not take this method");
    public static readonly ErrorName AgentStopping = new("stopping", 503, "The agent is stopping");
    public static readonly ErrorName Internal = new("internal", 500, "The agent failed at this request");

    // In the order of ErrorCode; a test holds the two against each other.
    private static readonly ErrorName[] Refusals =
    [
        Busy,
        Busy,
        NoSuchProcess,
        new("quota", 429, "Too many of your processes run"),
        new("registry-full", 429, "Too many processes are known"),
        InvalidInput,
        new("still-running", 409, "It has not ended"),
        Stopping,
        Busy,
        NotAllowed,
        NoSuchRollout,
        Busy,
        new("known", 409, "It is known already"),
        new("version-rollback", 422, "It is older than what was seen"),
        new("version-reused", 422, "Its version was given twice"),
        new("outbox-full", 503, "The plane has not taken what it was told"),
        new("no-such-dead-letter", 404, "There is no such dead letter"),
        new("no-such-channel", 404, "There is no such channel"),
        new("host-revoked", 403, "The host was shut out"),
        new("no-such-token", 401, "There is no such token"),
        new("token-expired", 401, "The token has expired"),
        new("token-foreign", 401, "The token is for another host"),
        new("token-spent", 401, "The token was used by another key"),
        NoSuchContainer,
        NoSuchCompanion,
    ];

    public static ErrorName Of(ErrorCode code) => Refusals[(int)code];
}
