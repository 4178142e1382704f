using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading;
using System.Threading.Tasks;
using Agent.Shell.Loop;
using Microsoft.AspNetCore.Http;

namespace Agent.Shell.Api;

/// <summary>What a call is answered with, before anything is sent.</summary>
internal abstract record Answer
{
    private Answer()
    {
    }

    internal sealed record Content(
        int Status,
        string MediaType,
        ReadOnlyMemory<byte> Bytes,
        IReadOnlyList<(string Name, string Value)> Headers) : Answer;

    /// <summary>A body of unknown length, written until the writer returns or is stopped.</summary>
    internal sealed record Streamed(
        string MediaType,
        IReadOnlyList<(string Name, string Value)> Headers,
        Func<Stream, CancellationToken, Task> WriteAsync) : Answer;

    internal sealed record Refused(ErrorName Error, string Detail, string? Field) : Answer;

    public static Answer Nothing { get; } = new Content(StatusCodes.Status204NoContent, "", default, []);

    public static Answer Json<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) =>
        new Content(status, "application/json", JsonSerializer.SerializeToUtf8Bytes(value, type), []);

    public static Answer Lines(Func<Stream, CancellationToken, Task> writeAsync) => new Streamed(
        "application/x-ndjson", [], writeAsync);

    public static Answer Refuse(ErrorName error, string detail, string? field = null) =>
        new Refused(error, detail, field);

    public static Answer Refuse(Refusal refusal) => new Refused(ErrorNames.Of(refusal.Code), refusal.Reason, null);

    public static Answer Invalid(string field, string detail) => new Refused(ErrorNames.InvalidInput, detail, field);
}
