using System;
using System.Collections.Generic;
using System.Threading.Tasks;

namespace Agent.Shell.Api;

/// <summary>
/// One call of the API. A segment of the template in braces takes any one segment of a path; the query parameters it
/// knows are listed, and others are refused.
/// </summary>
internal sealed class Route(
    string method,
    string template,
    Func<Call, Task<Answer>> handle,
    int bodyLimit = 0,
    params IReadOnlyList<string> query)
{
    private readonly string[] _segments = template.Split('/');

    public string Method { get; } = method;

    public string Template { get; } = template;

    public Func<Call, Task<Answer>> Handle { get; } = handle;

    /// <summary>In bytes; 0 for a call that takes no body.</summary>
    public int BodyLimit { get; } = bodyLimit;

    public IReadOnlyList<string> Query { get; } = query;

    public bool Knows(string parameter)
    {
        foreach (var known in Query)
        {
            if (known == parameter) return true;
        }

        return false;
    }

    /// <summary>The values of the braces, in order, if the path fits.</summary>
    public string[]? Match(string[] path)
    {
        if (path.Length != _segments.Length) return null;
        var values = Array.Empty<string>();
        for (var i = 0; i < path.Length; i++)
        {
            if (!IsHole(_segments[i]))
            {
                if (_segments[i] != path[i]) return null;
                continue;
            }

            if (path[i].Length == 0) return null;
            values = [.. values, path[i]];
        }

        return values;
    }

    public int PlaceOf(string name)
    {
        var place = 0;
        foreach (var segment in _segments)
        {
            if (!IsHole(segment)) continue;
            if (segment.AsSpan(1, segment.Length - 2).SequenceEqual(name)) return place;
            place++;
        }

        throw new ArgumentException($"{Template} has no {{{name}}}", nameof(name));
    }

    private static bool IsHole(string segment) => segment.StartsWith('{');
}
