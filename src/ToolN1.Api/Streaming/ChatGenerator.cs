using ToolN1.Api.Contracts;
using ToolN1.Api.Errors;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Constraints;

namespace ToolN1.Api.Streaming;

/// <summary>Starts the choices of a chat request.</summary>
internal sealed class ChatGenerator(ChatPipeline pipeline, ChatConstraints constraints)
{
    // Each may take the whole time that a schema has.
    private const int MaxRounds = 8;

    /// <summary>Encodes and compiles once, then queues every choice with an id and a seed of its own.</summary>
    /// <param name="request">What to generate.</param>
    /// <param name="choices">How many answers.</param>
    /// <param name="id">The answer's id, from which those of the choices are made.</param>
    /// <param name="paths">Where the parts of the request stand, for errors.</param>
    /// <param name="requestAborted">Ends all of them.</param>
    /// <param name="lenientTools">Names of tools that are not kept to their schema where it cannot be enforced.</param>
    /// <exception cref="ApiException">400: a schema cannot be enforced, or prompt and answer do not fit the model.</exception>
    public async Task<ChoiceSet<ChatEvent>> StartAsync(
        ChatRequest request, int choices, string id, RequestPaths paths, CancellationToken requestAborted, IReadOnlySet<string>? lenientTools = null)
    {
        PreparedChat chat = await PrepareAsync(request, paths, lenientTools, requestAborted);

        return ChoiceSet<ChatEvent>.Start(
            choices,
            (choice, cancellation) => pipeline.Generate(
                chat with { Request = chat.Request with { RequestId = $"{id}-{choice}", Sampling = SamplingBinder.ForChoice(request.Sampling, choice) } },
                cancellation),
            requestAborted);
    }

    private async Task<PreparedChat> PrepareAsync(ChatRequest request, RequestPaths paths, IReadOnlySet<string>? lenientTools, CancellationToken requestAborted)
    {
        try
        {
            ChatRequest relaxed = lenientTools is { Count: > 0 } ? await Task.Run(() => Relax(request, lenientTools), requestAborted) : request;
            return await pipeline.PrepareAsync(relaxed, requestAborted);
        }
        catch (ConstraintException exception)
        {
            throw paths.Refusal(exception, request.Tools);
        }
        catch (ContextLengthExceededException exception)
        {
            throw paths.Refusal(exception);
        }
    }

    /// <summary>Takes strictness from lenient tools whose schema cannot be enforced: one by one, and where there are many, from all.</summary>
    private ChatRequest Relax(ChatRequest request, IReadOnlySet<string> lenientTools)
    {
        for (int round = 1; ; round++)
        {
            try
            {
                constraints.Compile(request);
                return request;
            }
            catch (ConstraintException exception) when (request.Tools.Any(tool => tool.Name == exception.Tool && tool.IsStrict && lenientTools.Contains(tool.Name)))
            {
                bool isLast = round == MaxRounds;
                request = request with
                {
                    Tools = [.. request.Tools.Select(tool => tool.Name == exception.Tool || (isLast && lenientTools.Contains(tool.Name)) ? tool with { IsStrict = false } : tool)],
                };
            }
        }
    }
}
