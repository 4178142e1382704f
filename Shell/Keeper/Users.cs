using System;
using System.Globalization;
using System.IO;

namespace Agent.Shell.Keeper;

/// <summary>Users of this host, from its own table.</summary>
internal static class Users
{
    /// <summary>The ids of a user, by name or number; nothing if the host does not know him.</summary>
    public static (int Uid, int Gid)? Find(string nameOrUid)
    {
        foreach (var line in File.ReadLines("/etc/passwd"))
        {
            var fields = line.Split(':');
            if (fields.Length < 4 || (fields[0] != nameOrUid && fields[2] != nameOrUid)) continue;
            return (int.Parse(fields[2], CultureInfo.InvariantCulture), int.Parse(fields[3], CultureInfo.InvariantCulture));
        }

        return null;
    }
}
