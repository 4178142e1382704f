using System;
using System.Buffers;
using System.Collections.Generic;
using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using System.Threading;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Core.Process;
using Agent.Shell.Loop;
using Microsoft.AspNetCore.Http;

namespace Agent.Shell.Api;

/// <summary>One request: who asks, what the path names, and its body, read within the route's limit.</summary>
/// <param name="Stop">Ends when the caller goes away or the server stops.</param>
internal sealed record Call(
    HttpContext Http, Route Route, IReadOnlyList<string> Values, Principal Principal, CancellationToken Stop)
{
    // Larger than any value of a query here; what is longer is a mistake.
    private const int LongestQueryValue = 1024;

    // Nearly all bodies are shorter.
    private const int FirstBytes = 64 << 10;

    /// <summary>What stands in the path where the template has this name.</summary>
    public string Value(string name) => Values[Route.PlaceOf(name)];

    /// <summary>The process that the path names, if the caller may know of it.</summary>
    public ProcessState? Find(IHost host) =>
        ProcessId.Parse(Value("id")).TryGet(out var id)
            && host.Current.State.Processes.Find(id, Principal).TryGet(out var state)
            ? state
            : null;

    /// <summary>The same answer for an id that never was, one that is gone and one that is somebody else's.</summary>
    public Answer NoSuchProcess() => Answer.Refuse(ErrorNames.NoSuchProcess, $"no process {Value("id")}");

    /// <summary>The body as a request, or the answer that refuses it.</summary>
    public async Task<(T? Request, Answer? Refusal)> ReadAsync<T>(JsonTypeInfo<T> type)
        where T : class
    {
        var (bytes, refusal) = await ReadAsync();
        if (refusal is not null) return (null, refusal);
        var (value, field, fault) = StrictJson.Read(bytes.Span, type);
        if (fault is null) return (value, null);
        return (null, Answer.Invalid(field, field.Length == 0 ? fault : $"{field} {fault}"));
    }

    /// <summary>The body, or the answer that refuses it because it is longer than the route allows.</summary>
    public async Task<(ReadOnlyMemory<byte> Bytes, Answer? Refusal)> ReadAsync()
    {
        var limit = Route.BodyLimit;
        if (Http.Request.ContentLength > limit) return (default, TooLarge(limit));

        // What is announced need not come: room is made as it does.
        var body = new ArrayBufferWriter<byte>((int)Math.Clamp(Http.Request.ContentLength ?? 0, 256, FirstBytes) + 1);
        while (true)
        {
            var read = await Http.Request.Body.ReadAsync(body.GetMemory(1), Stop);
            if (read == 0) return (body.WrittenMemory, null);
            body.Advance(read);
            if (body.WrittenCount > limit) return (default, TooLarge(limit));
        }
    }

    public string? Query(string name) => Http.Request.Query[name] is [{ } value] ? value : null;

    /// <summary>False: it is there and is neither true nor false.</summary>
    public bool TryFlag(string name, out bool value)
    {
        value = false;
        return Query(name) is not { } text || bool.TryParse(text, out value);
    }

    /// <summary>False: it is there and is no number within the bounds.</summary>
    public bool TryNumber(string name, long least, long most, out long? value)
    {
        value = null;
        if (Query(name) is not { } text) return true;
        var style = least < 0 ? NumberStyles.AllowLeadingSign : NumberStyles.None;
        if (!long.TryParse(text, style, CultureInfo.InvariantCulture, out var number)) return false;
        value = number;
        return number >= least && number <= most;
    }

    /// <summary>False: it is there and is no time of RFC 3339.</summary>
    public bool TryTime(string name, out long? unixMs)
    {
        unixMs = null;
        if (Query(name) is not { } text) return true;
        if (!Times.TryParse(text, out var time)) return false;
        unixMs = time;
        return true;
    }

    /// <summary>The refusal of a query parameter that the route does not know, that is empty or given twice.</summary>
    public Answer? CheckQuery()
    {
        foreach (var (name, values) in Http.Request.Query)
        {
            if (!Route.Knows(name)) return Answer.Invalid(name, $"the query parameter {name} is not known here");
            if (values is not [{ Length: > 0 and <= LongestQueryValue }])
            {
                return Answer.Invalid(name, $"the query parameter {name} must be given once, with a short value");
            }
        }

        return null;
    }

    private static Answer TooLarge(int limit) =>
        Answer.Refuse(ErrorNames.TooLarge, $"the body may have at most {limit} bytes here");
}
