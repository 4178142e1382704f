using Agent.Shell.Containers.Apple;
using Agent.Shell.Containers.Engine;

namespace Agent.Shell.Containers;

/// <summary>Where a container engine is asked, and by that, who speaks to it.</summary>
internal abstract record EngineAddress
{
    private EngineAddress(string path) => Path = path;

    public string Path { get; }

    /// <summary>The API's word for it.</summary>
    public string Kind => this switch
    {
        Socket => "socket",
        Command => "command",
    };

    /// <summary>What the API told; null for a kind that this build does not know.</summary>
    public static EngineAddress? Of(string kind, string path) => kind switch
    {
        "socket" => new Socket(path),
        "command" => new Command(path),
        _ => null,
    };

    /// <summary>A backend for the containers of this instance. The engine is asked nothing yet.</summary>
    /// <param name="folder">For the files of a command's runs.</param>
    public IContainerBackend Connect(ContainerLabels names, string folder) => this switch
    {
        Socket(var path) => new EngineBackend(path, names),
        Command(var path) => new AppleBackend(path, names, folder),
    };

    /// <summary>The Docker Engine API on a Unix socket, which Podman speaks too.</summary>
    public sealed record Socket(string At) : EngineAddress(At);

    /// <summary>Apple's `container` command.</summary>
    public sealed record Command(string At) : EngineAddress(At);
}
