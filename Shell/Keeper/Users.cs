using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

namespace Agent.Shell.Keeper;

/// <summary>
/// Users of this host, from its own two tables: a directory in the network may keep who asks it waiting, and the keeper
/// serves everybody.
/// </summary>
internal static class Users
{
    /// <summary>A user by name or number; nothing if the host does not know him.</summary>
    public static UserIds? Find(string nameOrUid, string users = "/etc/passwd", string groups = "/etc/group")
    {
        foreach (var fields in Rows(users))
        {
            if (fields.Length < 4 || (fields[0] != nameOrUid && fields[2] != nameOrUid)) continue;
            if (Number(fields[2]) is { } uid && Number(fields[3]) is { } gid) return new(uid, gid, GroupsOf(fields[0], groups));
        }

        return null;
    }

    private static uint[] GroupsOf(string name, string groups) =>
    [
        .. Rows(groups).Where(fields => fields.Length >= 4 && fields[3].Split(',').Contains(name, StringComparer.Ordinal))
            .Select(fields => Number(fields[2])).OfType<uint>(),
    ];

    private static IEnumerable<string[]> Rows(string table) =>
        File.Exists(table) ? File.ReadLines(table).Select(line => line.Split(':')) : [];

    /// <summary>The highest number means nobody at all, to the kernel.</summary>
    private static uint? Number(string text) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number != uint.MaxValue ? number : null;
}

/// <param name="Gid">His own group.</param>
/// <param name="Groups">Those that have him as a member.</param>
internal sealed record UserIds(uint Uid, uint Gid, IReadOnlyList<uint> Groups);
