using ToolN1.Api.Contracts;
using ToolN1.Api.Errors;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Constraints;

namespace ToolN1.Api.Streaming;

/// <summary>Starts the choices of a chat request.</summary>
internal sealed class ChatGenerator(ChatPipeline pipeline)
{
    /// <summary>Encodes and compiles once, then queues every choice with an id and a seed of its own.</summary>
    /// <param name="request">What to generate.</param>
    /// <param name="choices">How many answers.</param>
    /// <param name="id">The answer's id, from which those of the choices are made.</param>
    /// <param name="schemas">Where the request's schemas stand, for errors.</param>
    /// <param name="requestAborted">Ends all of them.</param>
    /// <param name="lenientTools">Names of tools that are not kept to their schema where it cannot be enforced.</param>
    /// <exception cref="ApiException">400: a schema cannot be enforced.</exception>
    public async Task<ChoiceSet<ChatEvent>> StartAsync(
        ChatRequest request, int choices, string id, SchemaPaths schemas, CancellationToken requestAborted, IReadOnlySet<string>? lenientTools = null)
    {
        PreparedChat chat = await PrepareAsync(request, schemas, lenientTools, requestAborted);

        return ChoiceSet<ChatEvent>.Start(
            choices,
            (choice, cancellation) => pipeline.Generate(
                chat with { Request = chat.Request with { RequestId = $"{id}-{choice}", Sampling = SamplingBinder.ForChoice(request.Sampling, choice) } },
                cancellation),
            requestAborted);
    }

    private async Task<PreparedChat> PrepareAsync(ChatRequest request, SchemaPaths schemas, IReadOnlySet<string>? lenientTools, CancellationToken requestAborted)
    {
        while (true)
        {
            try
            {
                return await pipeline.PrepareAsync(request, requestAborted);
            }
            catch (ConstraintException exception)
            {
                ChatTool? tool = request.Tools.FirstOrDefault(tool => tool.Name == exception.Tool && tool.IsStrict && lenientTools?.Contains(tool.Name) == true);
                if (tool is null)
                {
                    throw schemas.Refusal(exception, request.Tools);
                }

                // Each round makes one tool less strict, so this ends.
                request = request with { Tools = [.. request.Tools.Select(offered => offered == tool ? offered with { IsStrict = false } : offered)] };
            }
        }
    }
}
