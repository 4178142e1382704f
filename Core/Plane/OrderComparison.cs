using Agent.Core.Model;
using Agent.Core.Rollout;

namespace Agent.Core.Plane;

/// <summary>
/// Whether two orders ask the same, field by field: the equality that records make by themselves looks up that of Seq and
/// Option at run time, which an ahead-of-time build cannot.
/// </summary>
internal static class OrderComparison
{
    public static bool Asks(this RolloutOrder left, RolloutOrder right)
    {
        if (left.Id != right.Id || left.Version != right.Version || left.Activator != right.Activator) return false;
        if (left.Target != right.Target || left.Policy != right.Policy) return false;
        return Same(left.Probes, right.Probes, Same);
    }

    /// <summary>Whether these are the records of these probes, in their order.</summary>
    public static bool Record(this Seq<ProbeRecord> records, Seq<ProbeSpec> probes) =>
        Same(records.Map(record => record.Spec).Strict(), probes, Same);

    private static bool Same(ProbeSpec left, ProbeSpec right) =>
        left.Name == right.Name && left.Mode == right.Mode && left.Interval == right.Interval
        && left.Timeout == right.Timeout && left.InitialDelay == right.InitialDelay
        && left.SuccessThreshold == right.SuccessThreshold && left.FailureThreshold == right.FailureThreshold
        && Same(left.Check, right.Check);

    private static bool Same(ProbeCheck left, ProbeCheck right) => left switch
    {
        ProbeCheck.Http(var address, var status, var contains) => right is ProbeCheck.Http http
            && address == http.Address && status == http.Status && Same(contains, http.Contains),
        ProbeCheck.Tcp(var host, var port) => right is ProbeCheck.Tcp tcp && host == tcp.Host && port == tcp.Port,
        ProbeCheck.Exec(var command) => right is ProbeCheck.Exec exec && Same(command, exec.Command, Same),
        ProbeCheck.Process(var service) => right is ProbeCheck.Process process && service == process.Service,
        ProbeCheck.Runtime => right is ProbeCheck.Runtime,
        ProbeCheck.Container(var name) => right is ProbeCheck.Container container && name == container.Name,
        ProbeCheck.Evidence(var path, var framework, var controls, var age) => right is ProbeCheck.Evidence evidence
            && path == evidence.Path && age == evidence.MaxAge && Same(framework, evidence.Framework)
            && Same(controls, evidence.Controls, Same),
    };

    private static bool Same(EvidenceControl left, EvidenceControl right) =>
        left.Id == right.Id && left.Mode == right.Mode && Same(left.Reason, right.Reason);

    private static bool Same(Option<string> left, Option<string> right) =>
        left.TryGet(out var text) ? right.TryGet(out var other) && Same(text, other) : right.IsNone;

    private static bool Same(string left, string right) => string.Equals(left, right, StringComparison.Ordinal);

    private static bool Same<T>(Seq<T> left, Seq<T> right, Func<T, T, bool> same)
    {
        if (left.Count != right.Count) return false;
        for (var i = 0; i < left.Count; i++)
        {
            if (!same(left[i], right[i])) return false;
        }

        return true;
    }
}
