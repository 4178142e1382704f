using Agent.Core.Host;

namespace Agent.Shell.Api;

/// <summary>Names a state by its content, as the journal does.</summary>
internal interface IStateDigest
{
    string Of(HostState state);
}
