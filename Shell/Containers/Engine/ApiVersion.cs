using System;
using System.Globalization;

namespace Agent.Shell.Containers.Engine;

/// <summary>A version of the engine's protocol. As text it is what a path begins with: `/v1.41`.</summary>
internal sealed record ApiVersion(int Major, int Minor)
{
    /// <summary>What is asked for here is the same in all from 2019 to this one.</summary>
    private static readonly ApiVersion Newest = new(1, 47);

    private static readonly ApiVersion Oldest = new(1, 40);

    /// <summary>The newest that both sides speak. Refused where there is none.</summary>
    public static ApiVersion Negotiate(string? newest, string? oldest)
    {
        if (Parse(newest) is not { } theirs)
        {
            throw new ContainerException(ContainerFault.Garbage, "what answers does not tell the version of its API");
        }

        var spoken = theirs.IsBefore(Newest) ? theirs : Newest;
        var bottom = Parse(oldest) ?? Oldest;
        return spoken.IsBefore(Oldest) || spoken.IsBefore(bottom)
            ? throw new ContainerException(
                ContainerFault.Refused,
                $"the engine speaks its API from {bottom.Text} to {theirs.Text}; {Oldest.Text} to {Newest.Text} is known here")
            : spoken;
    }

    public string Text => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");

    public override string ToString() => $"/v{Text}";

    private static ApiVersion? Parse(string? text)
    {
        var dot = text?.IndexOf('.', StringComparison.Ordinal) ?? -1;
        return dot > 0
            && int.TryParse(text.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            && int.TryParse(text.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var minor)
                ? new(major, minor)
                : null;
    }

    private bool IsBefore(ApiVersion other) => (Major, Minor).CompareTo((other.Major, other.Minor)) < 0;
}
