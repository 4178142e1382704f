using System;

namespace Agent.Shell.Containers;

/// <summary>
/// An image as people write it: `name`, `name:tag`, `name@sha256:digest`, with or without a registry before it.
/// </summary>
/// <param name="Version">The tag or digest; `latest` where none is written.</param>
internal sealed record ImageReference(string Repository, string Version)
{
    /// <summary>Twice what registries take, digest included.</summary>
    public const int MaxLength = 512;

    /// <summary>The host and port of its registry, as the name has it; null where it leaves that to the engine.</summary>
    public string? Registry
    {
        get
        {
            var slash = Repository.IndexOf('/', StringComparison.Ordinal);
            var first = slash < 0 ? "" : Repository[..slash];
            return first == "localhost" || first.AsSpan().IndexOfAny('.', ':') >= 0 ? first : null;
        }
    }

    /// <summary>Null for what cannot name an image, and so for everything that a path or a query would read otherwise.</summary>
    public static ImageReference? Parse(string text)
    {
        if (text.Length is 0 or > MaxLength || !char.IsAsciiLetterOrDigit(text[0])) return null;
        if (text.Contains("..", StringComparison.Ordinal) || text.Contains("//", StringComparison.Ordinal)) return null;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-' or '/' or ':' or '@')) return null;
        }

        // A colon before the last slash is a registry's port.
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var name = at < 0 ? text : text[..at];
        var colon = name.LastIndexOf(':');
        var repository = colon > name.LastIndexOf('/') ? name[..colon] : name;
        var version = at >= 0 ? text[(at + 1)..] : repository.Length < name.Length ? name[(colon + 1)..] : "latest";
        var isWhole = repository.Length > 0 && version.Length > 0 && repository[^1] is not ('/' or ':');
        return isWhole && !version.Contains('@', StringComparison.Ordinal) ? new(repository, version) : null;
    }
}
