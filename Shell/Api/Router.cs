using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Agent.Core.Model;
using Agent.Shell.Observability;
using Microsoft.AspNetCore.Http;

namespace Agent.Shell.Api;

/// <summary>Finds the route of a request, runs it and sends its answer. Every failure ends here as an answer.</summary>
internal sealed class Router(IReadOnlyList<Route> routes, Counters counters)
{
    public async Task HandleAsync(HttpContext http, Principal principal, CancellationToken ending)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, ending);
        counters.CountRequest();
        try
        {
            var answer = await AnswerAsync(http, principal, either.Token);
            if (answer is Answer.Refused) counters.CountRefusal();
            await SendAsync(http, answer, either.Token);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The caller is gone: there is nobody to answer.
        }
        catch (Exception failure) when (failure is OperationCanceledException or ChannelClosedException)
        {
            await FailAsync(http, Answer.Refuse(ErrorNames.AgentStopping, "the agent is stopping, ask its successor"));
        }
        catch (BadHttpRequestException failure)
        {
            var error = failure.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? ErrorNames.TooLarge
                : ErrorNames.InvalidInput;
            await FailAsync(http, Answer.Refuse(error, failure.Message));
        }
        catch (IOException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The same, noticed while writing.
        }
#pragma warning disable CA1031 // Whatever it was, the caller is told and the log has it; the next request is served.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Log.Fail("a request failed", ("path", http.Request.Path.Value), ("failure", failure));
            await FailAsync(http, Answer.Refuse(ErrorNames.Internal, failure.Message));
        }
    }

    private async Task<Answer> AnswerAsync(HttpContext http, Principal principal, CancellationToken stop)
    {
        var path = (http.Request.Path.Value ?? "").Split('/');
        var allowed = new List<string>();
        foreach (var route in routes)
        {
            if (route.Match(path) is not { } values) continue;
            if (route.Method != http.Request.Method)
            {
                allowed.Add(route.Method);
                continue;
            }

            var call = new Call(http, route, values, principal, stop);
            return call.CheckQuery() ?? await route.Handle(call);
        }

        var asked = http.Request.Path;
        if (allowed.Count == 0) return Answer.Refuse(ErrorNames.NotFound, $"{asked} is not part of this API");
        var methods = string.Join(", ", allowed);
        http.Response.Headers.Allow = methods;
        return Answer.Refuse(ErrorNames.WrongMethod, $"{asked} takes {methods}");
    }

    private static Task SendAsync(HttpContext http, Answer answer, CancellationToken stop) => answer switch
    {
        Answer.Content content => SendAsync(http.Response, content, stop),
        Answer.Streamed streamed => SendAsync(http.Response, streamed, stop),
        Answer.Refused refused => SendAsync(http.Response, Write(refused), stop),
    };

    private static async Task SendAsync(HttpResponse response, Answer.Content content, CancellationToken stop)
    {
        response.StatusCode = content.Status;
        foreach (var (name, value) in content.Headers) response.Headers[name] = value;
        if (content.Status == StatusCodes.Status204NoContent) return;
        response.ContentType = content.MediaType;
        response.ContentLength = content.Bytes.Length;
        await response.Body.WriteAsync(content.Bytes, stop);
    }

    private static async Task SendAsync(HttpResponse response, Answer.Streamed streamed, CancellationToken stop)
    {
        response.ContentType = streamed.MediaType;
        foreach (var (name, value) in streamed.Headers) response.Headers[name] = value;
        await response.StartAsync(stop);
        await streamed.WriteAsync(response.Body, stop);
    }

    /// <summary>An answer that is already on its way cannot be taken back; cutting it short tells the caller.</summary>
    private async Task FailAsync(HttpContext http, Answer answer)
    {
        counters.CountRefusal();
        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }

        http.Response.Clear();
        await SendAsync(http, answer, CancellationToken.None);
    }

    private static Answer.Content Write(Answer.Refused refused) => new(
        refused.Error.Status,
        Problem.MediaType,
        JsonSerializer.SerializeToUtf8Bytes(
            new Problem(
                refused.Error.Code, refused.Error.Title, refused.Error.Status, refused.Detail,
                refused.Field is { Length: > 0 } field ? field : null),
            WireJson.Default.Problem),
        []);
}
