using System.Collections.Generic;
using System.Linq;
using Agent.Shell.Linux;

namespace Agent.Shell.Keeper;

/// <summary>How children cross from one program of the keeper to the next.</summary>
internal sealed partial class Children
{
    /// <summary>
    /// All of them. Nothing while the log cannot be written: should the next program die at once, the log is all that
    /// its successor has.
    /// </summary>
    public IReadOnlyList<HandedChild>? Hand() => !_log.Sync() ? null :
    [
        .. _byKey.Values.Select(child => new HandedChild(
            child.Row, child.Tree, child.IsOwn, child.Pidfd, child.Input, child.Output, child.Error)
        {
            Notifies = child.IsNotifying, Notify = child.Notify?.Fd ?? -1,
        }),
    ];

    /// <summary>
    /// Takes them over as they were left. One that has ended meanwhile is waiting to be reaped, and its pidfd says so at
    /// the first look.
    /// </summary>
    public void TakeOver(IReadOnlyList<HandedChild> handed)
    {
        // What it says is in the handover; it is read for its end, where writing goes on.
        _ = _log.Read();
        foreach (var one in handed)
        {
            var child = new Child(one.Row, one.Tree, one.Own)
            {
                Pidfd = one.Pidfd, Input = one.Input, Output = one.Output, Error = one.Error,
                IsNotifying = one.Notifies, Notify = one.Notify < 0 ? null : new NotifySocket(one.Notify),
            };
            _byKey[child.Key] = child;

            // What its keeper had not gathered yet is gathered, or killed, by this one.
            if (child.Tree || !_cgroups.Has(child.Key)) AddUnjoined(child);
            if (!child.HasEnded) Watch(child);
        }
    }
}
