using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Options;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Hosting;

namespace ToolN1.Engine.Client;

/// <summary>
/// The served model as a Microsoft.Extensions.AI client of this process: the pipeline that answers over HTTP, without HTTP.
/// Reasoning comes as <see cref="TextReasoningContent"/>, calls as <see cref="FunctionCallContent"/>. Stateless and thread-safe.
/// </summary>
/// <param name="model">The served model.</param>
/// <param name="pipeline">Answers requests.</param>
/// <param name="options">How conversations are served.</param>
/// <param name="time">Tells when an answer was made.</param>
/// <remarks>What of <see cref="ChatOptions"/> is not supported is a <see cref="NotSupportedException"/> that names it, never ignored.</remarks>
public sealed class ToolN1ChatClient(ServedModel model, ChatPipeline pipeline, IOptions<ChatServingOptions> options, TimeProvider time) : IChatClient
{
    private readonly ChatClientMetadata _metadata = new("tooln1", defaultModelId: model.Info.Name);

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">An option, a tool or a content that the served model cannot take.</exception>
    /// <exception cref="ConversationException">A function's result without its call, or a call without its result.</exception>
    /// <exception cref="ArgumentException">A value outside its range, or a tool mode that the tools do not allow.</exception>
    /// <exception cref="Constraints.ConstraintException">A schema cannot be enforced.</exception>
    /// <exception cref="ContextLengthExceededException">Prompt and asked-for tokens do not fit the model.</exception>
    /// <exception cref="EngineOverloadedException">The queue is full, or the engine is stopping.</exception>
    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    /// <inheritdoc/>
    /// <remarks>Throws as <see cref="GetResponseAsync"/> does, when the enumeration begins.</remarks>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return AnswerAsync(messages, options, cancellationToken);
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata) ? _metadata
            : serviceType == typeof(ServedModel) ? model
            : serviceType == typeof(ChatPipeline) ? pipeline
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Model and engine belong to the host.
    }

    private async IAsyncEnumerable<ChatResponseUpdate> AnswerAsync(
        IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages, ChatOptions? chosen, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string id = "chatcmpl-" + Guid.NewGuid().ToString("N");
        ChatRequest request = ClientRequests.Map(this, model.Info, id, messages, chosen, options.Value);
        PreparedChat chat = await pipeline.PrepareAsync(request, cancellationToken).ConfigureAwait(false);
        ClientUpdates updates = new(id, model.Info.Name, time.GetUtcNow(), showsReasoning: chosen?.Reasoning?.Output is not ReasoningOutput.None);
        await foreach (ChatEvent piece in pipeline.Generate(chat, cancellationToken).ConfigureAwait(false))
        {
            cancellationToken.ThrowIfCancellationRequested();
            foreach (ChatResponseUpdate update in updates.Next(piece))
            {
                yield return update;
            }
        }
    }
}
