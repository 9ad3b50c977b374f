using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using ToolN1.Engine.Constraints;
using ToolN1.Engine.Diagnostics;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Engine.Chat;

/// <summary>
/// A chat request to its answer: rendering, encoding, constraint, generation, decoding, stop texts, parsing. Thread-safe.
/// </summary>
/// <param name="engine">Generates.</param>
/// <param name="tokenizer">Of the served model.</param>
/// <param name="format">How the model is spoken to.</param>
/// <param name="constraints">Compiles what an answer is held to.</param>
/// <param name="logger">Told, at Trace only, the text of a call that a limit cut, which no answer shows; null for nobody.</param>
public sealed class ChatPipeline(
    IInferenceEngine engine, Tokenizer tokenizer, IChatFormat format, ChatConstraints constraints, ILogger<ChatPipeline>? logger = null)
{
    // How often a second answer knocks at a full queue.
    private const int MaxAttempts = 5;

    /// <summary>The prompt's ids, exactly as <see cref="Generate"/> sends them.</summary>
    /// <exception cref="ArgumentException">A tool or a past call whose JSON is not JSON.</exception>
    public int[] Encode(ChatRequest request) =>
        format.Render(request.Messages, ChatConstraints.Shown(request), addGenerationPrompt: true).Encode(tokenizer);

    /// <summary>
    /// Checks and encodes the request and compiles the constraint of its answer, the last on the thread pool because it may
    /// take up to the compile budget.
    /// </summary>
    /// <param name="request">The conversation and how to answer it.</param>
    /// <param name="cancellationToken">Ends the waiting for a place on the thread pool.</param>
    /// <exception cref="ArgumentException">
    /// A tool or a past call whose JSON is not JSON, an empty stop text, a parameter outside its range, or a tool choice that
    /// the tools do not allow.
    /// </exception>
    /// <exception cref="ConstraintException">A schema cannot be enforced; see <see cref="ConstraintException.Tool"/> and <see cref="ConstraintException.Pointer"/>.</exception>
    /// <exception cref="ContextLengthExceededException">Prompt and asked-for tokens do not fit the model.</exception>
    public async Task<PreparedChat> PrepareAsync(ChatRequest request, CancellationToken cancellationToken)
    {
        if (request.Stop.Any(string.IsNullOrEmpty))
        {
            throw new ArgumentException("A stop text is empty.", nameof(request));
        }

        request.Sampling.Validate();
        int[] prompt = Encode(request);
        int room = engine.Model.MaxModelLength - prompt.Length;
        if ((request.MaxNewTokens ?? 1) > room)
        {
            throw new ContextLengthExceededException(prompt.Length, request.MaxNewTokens ?? 1, engine.Model.MaxModelLength);
        }

        AnswerConstraint? constraint = await Task.Run(() => constraints.Compile(request), cancellationToken).ConfigureAwait(false);
        return new PreparedChat(request, ChatConstraints.Shown(request), prompt, constraint);
    }

    /// <summary>
    /// Queues a prepared request and returns its answer as it is made. It is queued in the call, before the first
    /// enumeration. The last event is always <see cref="ChatEvent.Finished"/>. Generation ends early at a stop text and
    /// where the format's turn is complete.
    /// </summary>
    /// <param name="chat">What to generate.</param>
    /// <param name="cancellationToken">Ends the answer; its last event then says so. Ending the enumeration early frees the sequence too.</param>
    /// <exception cref="EngineOverloadedException">The queue is full, or the engine is stopping.</exception>
    public IAsyncEnumerable<ChatEvent> Generate(PreparedChat chat, CancellationToken cancellationToken)
    {
        (IAsyncEnumerable<GenerationUpdate> updates, ChatAnswer answer) = Start(chat, cancellationToken);
        bool mayBeAskedAgain = chat.Request.AnswersInWords && chat.Tools.Count > 0 && chat.Request.ToolChoice is ToolChoice.Auto or ToolChoice.Allowed { IsRequired: false };
        return mayBeAskedAgain ? ReadUntilWords(updates, answer, chat.Request, cancellationToken) : Read(updates, answer, chat.Request.RequestId, cancellationToken);
    }

    private (IAsyncEnumerable<GenerationUpdate> Updates, ChatAnswer Answer) Start(PreparedChat chat, CancellationToken cancellationToken)
    {
        ChatRequest request = chat.Request;
        SamplingParameters sampling = request.Sampling;
        if (!sampling.IgnoreEndOfSequence)
        {
            IEnumerable<int> turnEnds = format.StopTokens.Select(tokenizer.FindAddedToken).OfType<int>();
            sampling = sampling with { StopTokenIds = [.. sampling.StopTokenIds.Union(turnEnds)] };
        }

        IAsyncEnumerable<GenerationUpdate> updates = engine.Generate(
            new GenerationRequest
            {
                RequestId = request.RequestId,
                PromptTokenIds = chat.Prompt,
                MaxNewTokens = request.MaxNewTokens ?? engine.Model.MaxModelLength - chat.Prompt.Count,
                Sampling = sampling,
                Constraint = chat.Constraint,
                CacheSalt = request.CacheSalt,
                WeightVersion = request.WeightVersion,
            },
            cancellationToken);
        bool contentIsJson = !request.MustWrite && request.ResponseFormat is not ResponseFormat.Text;
        ChatOutputParser parser = format.CreateParser(request.ToolChoice is ToolChoice.None ? null : chat.Tools, contentIsJson);
        return (updates, new ChatAnswer(tokenizer, parser, request.Stop, chat.Prompt.Count));
    }

    /// <summary>An answer, and where it says nothing, the answer in words to the same conversation behind it.</summary>
    private async IAsyncEnumerable<ChatEvent> ReadUntilWords(
        IAsyncEnumerable<GenerationUpdate> updates,
        ChatAnswer answer,
        ChatRequest request,
        CancellationToken cancellationToken,
        [EnumeratorCancellation] CancellationToken enumeration = default)
    {
        await foreach (ChatEvent chatEvent in Read(updates, answer, request.RequestId, cancellationToken).WithCancellation(enumeration).ConfigureAwait(false))
        {
            if (chatEvent is not ChatEvent.Finished finished || !answer.SaidNothing || await AskForWordsAsync(request, finished.Usage, cancellationToken).ConfigureAwait(false) is not { } again)
            {
                yield return chatEvent;
                continue;
            }

            await foreach (ChatEvent word in again.WithCancellation(enumeration).ConfigureAwait(false))
            {
                yield return word is ChatEvent.Finished last ? last with { Usage = Sum(finished.Usage, last.Usage) } : word;
            }
        }
    }

    /// <summary>Asks again without the tools.</summary>
    /// <returns>Null where there is no room for an answer, or the engine takes no more requests: the answer is then what it is.</returns>
    private async Task<IAsyncEnumerable<ChatEvent>?> AskForWordsAsync(ChatRequest request, ChatUsage used, CancellationToken cancellationToken)
    {
        try
        {
            PreparedChat chat = await PrepareAsync(
                request with
                {
                    RequestId = request.RequestId + "-words",
                    ToolChoice = new ToolChoice.None(),
                    MustWrite = true,
                    AnswersInWords = false,
                    MaxNewTokens = request.MaxNewTokens - used.CompletionTokens,
                },
                cancellationToken).ConfigureAwait(false);
            for (int attempt = 1; ; attempt++)
            {
                try
                {
                    (IAsyncEnumerable<GenerationUpdate> updates, ChatAnswer answer) = Start(chat, cancellationToken);
                    return Read(updates, answer, chat.Request.RequestId, cancellationToken);
                }
                catch (EngineOverloadedException overloaded) when (attempt < MaxAttempts)
                {
                    await Task.Delay(overloaded.RetryAfter, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (Exception exception) when (exception is EngineOverloadedException or ContextLengthExceededException or OperationCanceledException)
        {
            return null;
        }
    }

    private static ChatUsage Sum(ChatUsage first, ChatUsage second) => first with
    {
        CompletionTokens = first.CompletionTokens + second.CompletionTokens,
        ReasoningTokens = first.ReasoningTokens + second.ReasoningTokens,
        SecondPromptTokens = second.PromptTokens,
        CachedSecondPromptTokens = second.CachedPromptTokens,
    };

    private async IAsyncEnumerable<ChatEvent> Read(
        IAsyncEnumerable<GenerationUpdate> updates,
        ChatAnswer answer,
        string requestId,
        CancellationToken cancellationToken,
        [EnumeratorCancellation] CancellationToken enumeration = default)
    {
        // Leaving the loop disposes the engine's enumerator, which ends the sequence there.
        await using IAsyncEnumerator<GenerationUpdate> reader = updates.GetAsyncEnumerator(enumeration);
        while (!answer.IsFinished)
        {
            bool more = false;
            try
            {
                more = await reader.MoveNextAsync().ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested || enumeration.IsCancellationRequested)
            {
                // Reported by the last event.
            }

            bool cancelled = cancellationToken.IsCancellationRequested || enumeration.IsCancellationRequested;
            IReadOnlyList<ChatEvent> events = more ? answer.Append(reader.Current)
                : cancelled ? answer.Cancel()
                : throw new InvalidOperationException("The engine's updates ended without a finish reason.");
            if (answer.IsFinished && answer.UnfinishedBlock is { } cut && logger is not null)
            {
                EngineLog.CallCut(logger, requestId, cut);
            }

            foreach (ChatEvent chatEvent in events)
            {
                yield return chatEvent;
            }
        }
    }
}
