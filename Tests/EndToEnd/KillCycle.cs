using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Agent.Tests.Support;
using Xunit;

namespace Agent.Tests.EndToEnd;

/// <summary>
/// Children that keep an account of themselves in files: that they began, under which name, which code they are about
/// to end with, and whether they met another of their kind. Beside it stands what the agent says of them.
/// </summary>
internal sealed class KillCycle(AgentUnderTest agent, string accounts, Random random)
{
    public const int Steady = 4;
    public const int Restless = 8;
    private const int Tasks = 8;

    // How late a keeper may see an end, and how soon before its own death it must have.
    private static readonly TimeSpan Notice = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, Reader> _tasks = new(StringComparer.Ordinal);
    private readonly List<(DateTime From, DateTime To)> _keeperless = [];
    private readonly List<(DateTime From, DateTime To)> _agentless = [];
    private int _spawned;
    private long _seq;

    public int Released { get; private set; }

    public int Lost { get; private set; }

    public int Cut { get; private set; }

    public long Bytes { get; private set; }

    private string Gaps =>
        $"keepers were away {Told(_keeperless)}; agents {Told(_agentless)}";

    private string Sock => Path.Combine(agent.Runtime, "keeper.sock");

    /// <summary>Four that never end, and eight that end after a while, with a code of their generation.</summary>
    public static string Yaml(string accounts)
    {
        File.WriteAllText(Path.Combine(accounts, "service"), $$"""
            name=$1; nap=$2; d={{accounts}}
            code=$(( ${AGENT_PROCESS##*.} % 7 ))
            trap 'echo 143 > $d/end.$AGENT_PROCESS; exit 143' TERM
            echo $name > $d/begun.$AGENT_PROCESS
            exec 9>>$d/lock.$name
            flock -n 9 || echo "$name: $AGENT_PROCESS met another" >> $d/twice
            echo begin $AGENT_PROCESS; seq 0 99; sleep $nap 9>&-; seq 100 199
            echo $code > $d/end.$AGENT_PROCESS; exit $code
            """);
        File.WriteAllText(Path.Combine(accounts, "task"), $$"""
            name=$1; half=$2; last=$3; nap=$4; code=$5; d={{accounts}}
            set -C
            : > $d/task.$name || echo "$name: $AGENT_PROCESS came second" >> $d/twice
            echo $name > $d/begun.$AGENT_PROCESS
            seq 0 $half; sleep $nap; seq $((half+1)) $last
            echo $code > $d/end.$AGENT_PROCESS; exit $code
            """);
        var yaml = new StringBuilder("services:\n");
        for (var n = 0; n < Steady + Restless; n++)
        {
            var nap = n < Steady ? "100000" : (0.1 + n * 0.1).ToString(CultureInfo.InvariantCulture);
            yaml.Append(CultureInfo.InvariantCulture, $"  s{n}: {{ command: [/bin/sh, {accounts}/service, s{n}, \"{nap}\"], restart: always }}\n");
        }

        return yaml.ToString();
    }

    /// <summary>Spawns, restarts and reads, until all of it is done or the agent is not there to be asked.</summary>
    public async Task WorkAsync()
    {
        try
        {
            while (_tasks.Count < Tasks) await SpawnAsync();
            var services = (await agent.ProcessesAsync()).Where(info => (string)info["kind"]! == "service").ToList();
            foreach (var info in services.Where(info => Number(info) >= Steady && random.Next(4) == 0))
            {
                await agent.PostAsync($"/v1/processes/{(string)info["id"]!}/restart");
            }

            foreach (var reader in _tasks.Values.ToList()) await ReadAsync(reader);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            // The agent was killed meanwhile. What it had answered stands, of the rest nothing is known.
        }
    }

    /// <summary>Kills one of the two or both, and waits until both are there again.</summary>
    public async Task KillAsync(bool kill, bool keeper)
    {
        var from = DateTime.UtcNow;
        if (keeper)
        {
            agent.KillKeeper();
            if (kill) agent.KillAgent();
        }
        else
        {
            agent.KillAgent();
        }

        if (kill)
        {
            await agent.StartAsync();
            await agent.UntilAsync("it has heard of what lives", async () =>
                (await agent.TextAsync($"/v1/events?since={_seq}")).Contains("\"type\":\"started\"", StringComparison.Ordinal));
            _seq = (long)(await agent.GetAsync("/v1/status"))["journal"]!["seq"]!;
            _agentless.Add((from - Notice, DateTime.UtcNow + Notice));
        }

        if (!keeper) return;
        await agent.UntilAsync("a keeper is there", () => Task.FromResult(File.Exists(Sock) && File.GetLastWriteTimeUtc(Sock) > from));
        _keeperless.Add((from - Notice, DateTime.UtcNow + Notice));
    }

    /// <summary>Reads what is left of the tasks until each has ended, and stops what does not end by itself.</summary>
    public async Task FinishAsync()
    {
        try
        {
            await agent.UntilAsync("all tasks have ended and were read", async () =>
            {
                foreach (var reader in _tasks.Values.ToList()) await ReadAsync(reader);
                return _tasks.Count == 0;
            });
        }
        catch (Xunit.Sdk.XunitException failure)
        {
            var left = new StringBuilder(failure.Message);
            foreach (var task in _tasks.Values)
            {
                left.Append(CultureInfo.InvariantCulture, $"{task.Name}: {task.Next} of {task.Last + 1}, cursor {task.Cursor}: ")
                    .Append(await agent.TextAsync($"/v1/processes/{task.Id}")).AppendLine();
                left.AppendLine(await agent.TextAsync($"/v1/explain/process/{task.Id}"));
            }

            throw new Xunit.Sdk.XunitException(left.ToString(), failure);
        }

        foreach (var info in await agent.ProcessesAsync())
        {
            var (status, body) = await agent.PostAsync($"/v1/processes/{(string)info["id"]!}/stop");
            Assert.True(status == 200, $"stop answered {status}: {body}");
        }

        Assert.False(File.Exists(Path.Combine(accounts, "twice")), Text("twice"));
        Assert.Equal([], Living());
        await EndsAreTrueAsync();
        foreach (var info in await agent.ProcessesAsync()) await OutputIsWholeAsync((string)info["id"]!);
    }

    public async Task<IReadOnlyDictionary<string, int>> SteadyPidsAsync() => (await agent.PidsByLabelAsync())
        .Where(pair => pair.Key[0] == 's' && int.Parse(pair.Key[1..], CultureInfo.InvariantCulture) < Steady)
        .ToDictionary(pair => pair.Key, pair => pair.Value);

    private async Task SpawnAsync()
    {
        var name = $"t{_spawned++}";
        var last = random.Next(100, 80_000);
        var reader = new Reader(name, last, Code: random.Next(0, 200));
        var body = $$"""
            {"command":["/bin/sh","{{accounts}}/task","{{name}}","{{last / 3}}","{{last}}","0.{{random.Next(10)}}","{{reader.Code}}"],
             "label":"{{name}}","overflow":"backpressure","ringBytes":{{4096 << random.Next(6)}}}
            """;
        _tasks[name] = reader;
        reader.Id = (string)(await agent.SpawnAsync(body))["id"]!;
    }

    /// <summary>Takes what is there, checks that the lines go on where they were, and releases what has come to its end.</summary>
    private async Task ReadAsync(Reader task)
    {
        if (task.Id is null && !await FindAsync(task)) return;
        while (true)
        {
            using var answer = await agent.OpenAsync($"/v1/processes/{task.Id}/logs/stdout?cursor={task.Cursor}&max=262144");

            // A release whose answer was cut off may have been heard.
            if (task.IsReleased && answer.StatusCode == System.Net.HttpStatusCode.NotFound) break;
            Assert.True(answer.IsSuccessStatusCode, $"{task.Name}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            var bytes = await answer.Content.ReadAsByteArrayAsync();
            Assert.Equal("0", answer.Headers.GetValues("Agent-Bytes-Dropped").Single());
            task.Take(bytes);
            Bytes += bytes.Length;

            // Again, too: the last time the agent may have died before it heard.
            if (task.Cursor > task.Acked) await agent.PostAsync($"/v1/processes/{task.Id}/logs/stdout/ack?cursor={task.Cursor}");
            task.Acked = task.Cursor;
            if (bytes.Length > 0) continue;
            if (answer.Headers.GetValues("Agent-Eof").Single() != "true") return;
            break;
        }

        if (!task.IsReleased) await CheckAsync(task);
        task.IsReleased = true;
        await agent.DeleteAsync($"/v1/processes/{task.Id}");
        _tasks.Remove(task.Name);
        Released++;
    }

    /// <summary>Its exit is its own, and its stream is whole.</summary>
    private async Task CheckAsync(Reader task)
    {
        var exit = (await agent.GetAsync($"/v1/processes/{task.Id}"))["exit"]!;
        var isLost = (string)exit["reason"]! == "lost";
        if (!isLost) Assert.True((int?)exit["code"] == task.Code, $"{task.Name} ended with {task.Code}, told was {exit}");

        // A keeper that dies between noting a spawn and making it leaves one that is never begun.
        if (task.Next == task.Last + 1 || (isLost && !File.Exists(Path.Combine(accounts, "task." + task.Name)))) return;
        Assert.True(
            EndOf(task.Name) is { } end && MayBeCut(end),
            $"{task.Name} {task.Id}: {task.Next} lines of {task.Last + 1}, announced its end at {EndOf(task.Name):O}, {Gaps}; {exit}");
        Cut++;
    }

    /// <summary>A spawn whose answer was cut off: it is there if its child began; otherwise it may not be.</summary>
    private async Task<bool> FindAsync(Reader task)
    {
        var found = (await agent.ProcessesAsync()).SingleOrDefault(info => (string)info["label"]! == task.Name);
        task.Id = (string?)found?["id"];
        if (task.Id is not null) return true;
        Assert.False(File.Exists(Path.Combine(accounts, "task." + task.Name)), $"{task.Name} runs and nobody knows it");
        _tasks.Remove(task.Name);
        return false;
    }

    /// <summary>Each end that a child announced is in the journal with its code, or lost for want of a keeper.</summary>
    private async Task EndsAreTrueAsync()
    {
        var told = Ends(await agent.TextAsync("/v1/events"));
        foreach (var file in Directory.GetFiles(accounts, "begun.*"))
        {
            var key = Path.GetFileName(file)["begun.".Length..];
            Assert.True(told.TryGetValue(key, out var ends), $"the end of {key} ({Text("begun." + key)}) was never told");
            foreach (var end in ends)
            {
                var announced = File.Exists(Path.Combine(accounts, "end." + key)) ? Text("end." + key) : "nothing";
                if ((string)end["type"]! == "exited") Assert.Equal(announced, $"{(int)end["code"]!}");
                if ((string)end["type"]! != "lost") continue;
                Lost++;
                var at = File.GetLastWriteTimeUtc(Path.Combine(accounts, "end." + key));
                Assert.True(
                    announced != "nothing" && _keeperless.Exists(gap => gap.From <= at && at <= gap.To),
                    $"{key} ({Text("begun." + key)}) was called lost; it announced {announced} at {at:O}, "
                    + Gaps);
            }
        }
    }

    private static Dictionary<string, List<JsonNode>> Ends(string records)
    {
        var told = new Dictionary<string, List<JsonNode>>(StringComparer.Ordinal);
        foreach (var line in records.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var @event = JsonNode.Parse(line)!["event"]!;
            if ((string)@event["type"]! == "processReported" && @event["event"]!["status"] is { } status)
            {
                Note((string)@event["id"]!, (int)@event["event"]!["generation"]!, status);
            }

            foreach (var row in @event["observed"] as JsonArray ?? [])
            {
                if (row!["observation"]!["status"] is { } seen) Note((string)row["id"]!, (int)row["generation"]!, seen);
            }
        }

        return told;

        void Note(string id, int generation, JsonNode status)
        {
            var key = $"{id}.{generation}";
            if (!told.TryGetValue(key, out var ends)) told[key] = ends = [];
            ends.Add(status);
        }
    }

    /// <summary>Each incarnation of a service is heard from its first line on, without a gap, one after the other.</summary>
    private async Task OutputIsWholeAsync(string id)
    {
        var (key, next) = ("", 0);
        foreach (var line in (await agent.TextAsync($"/v1/processes/{id}/logs/stdout?max=4194304")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("begin ", StringComparison.Ordinal))
            {
                Whole(key, next);
                (key, next) = (line["begin ".Length..], 0);
                continue;
            }

            Assert.Equal($"{next}", line);
            next++;
        }

        Whole(key, next);
    }

    private void Whole(string key, int lines)
    {
        var file = Path.Combine(accounts, "end." + key);
        if (!File.Exists(file) || Text("end." + key) == "143") return;
        if (lines == 200) return;
        var end = File.GetLastWriteTimeUtc(file);
        Assert.True(MayBeCut(end), $"{key}: {lines} lines of 200, announced its end at {end:O}, {Gaps}");
        Cut++;
    }

    /// <summary>
    /// What a pipe held goes with its last holder, and that was the child itself if it ended while neither agent nor keeper
    /// lived, or the one died before the other had come.
    /// </summary>
    private bool MayBeCut(DateTime end) => _keeperless.Exists(keeper => _agentless.Exists(agent =>
        keeper.From <= agent.To && agent.From <= keeper.To
        && (keeper.From <= end || agent.From <= end) && (end <= keeper.To || end <= agent.To)));

    private DateTime? EndOf(string task)
    {
        var begun = Directory.GetFiles(accounts, "begun.*").FirstOrDefault(file => File.ReadAllText(file).Trim() == task);
        var end = begun?.Replace("begun.", "end.", StringComparison.Ordinal);
        return end is not null && File.Exists(end) ? File.GetLastWriteTimeUtc(end) : null;
    }

    private List<string> Living() => [.. ProcessTable.All()
        .Where(row => row.Environment.Contains($"AGENT_RUNTIME={agent.Runtime}", StringComparison.Ordinal))
        .Select(row => row.CommandLine)];

    private string Text(string file) => File.Exists(Path.Combine(accounts, file)) ? File.ReadAllText(Path.Combine(accounts, file)).Trim() : "";

    private static string Told(List<(DateTime From, DateTime To)> gaps) =>
        string.Join(", ", gaps.Select(gap => $"{gap.From:O} to {gap.To:O}"));

    private static int Number(JsonNode info) => int.Parse(((string)info["label"]!)[1..], CultureInfo.InvariantCulture);

    /// <summary>One task's stream of numbered lines, read piece by piece.</summary>
    private sealed record Reader(string Name, int Last, int Code)
    {
        private readonly StringBuilder _begun = new();

        public string? Id { get; set; }

        public long Cursor { get; private set; }

        public long Acked { get; set; }

        public int Next { get; private set; }

        public bool IsReleased { get; set; }

        public void Take(byte[] bytes)
        {
            Cursor += bytes.Length;
            var lines = _begun.Append(Encoding.ASCII.GetString(bytes)).ToString().Split('\n');
            foreach (var line in lines[..^1]) Assert.True(line == $"{Next++}", $"{Name}: {line} stands where {Next - 1} must");
            _begun.Clear().Append(lines[^1]);
        }
    }
}
