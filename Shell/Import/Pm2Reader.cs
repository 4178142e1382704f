using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Agent.Shell.Config;

namespace Agent.Shell.Import;

/// <summary>
/// Reads what pm2 starts from data: an ecosystem file in JSON or YAML, or the dump that `pm2 save` writes. JSON is read as
/// the YAML it is, so that everything found has its line.
/// </summary>
internal sealed class Pm2Reader
{
    private readonly Import _import;
    private readonly Values _values;
    private readonly string _folder;

    private Pm2Reader(string file, Mistakes mistakes)
    {
        _import = new(mistakes);
        _values = new(mistakes);
        _folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
    }

    public static Imported Read(string file, Mistakes mistakes)
    {
        var reader = new Pm2Reader(file, mistakes);
        if (YamlFile.Read(file, mistakes) is { } root) reader.ReadRoot(root);
        var imported = reader._import.Done();
        if (imported.Services.Count == 0 && mistakes.Told.Count == 0) mistakes.Add($"{file}: no app with a script in it");
        return imported;
    }

    private void ReadRoot(YamlNode root)
    {
        if (root is YamlNode.List dump)
        {
            foreach (var app in dump.Items) ReadApp(app);
        }
        else if (root is YamlNode.Map map && map.Entries.Any(one => one.Key == "apps"))
        {
            foreach (var (key, at, value) in map.Entries)
            {
                if (key != "apps") _import.Note(at, key, "only apps are imported; deployment is `agent rollout`'s");
                else if (value is YamlNode.List apps) apps.Items.ToList().ForEach(ReadApp);
                else ReadApp(value);
            }
        }
        else
        {
            ReadApp(root);
        }
    }

    private void ReadApp(YamlNode node)
    {
        if (node is not YamlNode.Map map)
        {
            if (node is YamlNode.Refused) return;
            _import.Mistakes.Add(node.At, "an app is a map of keys, such as {\"name\": …, \"script\": …}");
            return;
        }

        var app = new Pm2App(map, _import, _values, _folder);
        foreach (var service in app.Services()) _import.Add(map.At, service);
    }
}
