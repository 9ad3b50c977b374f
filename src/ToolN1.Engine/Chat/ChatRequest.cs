using ToolN1.Engine.Sampling;

namespace ToolN1.Engine.Chat;

/// <summary>A chat turn to generate, in the engine's own terms; HTTP shapes are mapped to it at the edge.</summary>
public sealed record ChatRequest
{
    /// <summary>For logs and metrics.</summary>
    public required string RequestId { get; init; }

    /// <summary>The conversation, oldest first; at least one message.</summary>
    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>The tools on offer; names are distinct.</summary>
    public IReadOnlyList<ChatTool> Tools { get; init; } = [];

    /// <summary>Which of them may or must be called.</summary>
    public ToolChoice ToolChoice { get; init; } = new ToolChoice.Auto();

    /// <summary>Whether an answer may hold several calls; false allows one, whatever the model.</summary>
    public bool ParallelToolCalls { get; init; } = true;

    /// <summary>What the visible answer has to be.</summary>
    public ResponseFormat ResponseFormat { get; init; } = new ResponseFormat.Text();

    /// <summary>
    /// Tokens of thinking after which its tag is closed; 0 leaves thinking out. Null: the engine's default
    /// (<see cref="Hosting.EngineOptions.ThinkingTokens"/>) where the answer is constrained anyway, else no limit.
    /// </summary>
    public int? ThinkingTokens { get; init; }

    /// <summary>How tokens are chosen; <see cref="SamplingParameters.TopLogProbs"/> asks for log-probabilities.</summary>
    public SamplingParameters Sampling { get; init; } = SamplingParameters.Greedy;

    /// <summary>Most tokens to generate, thinking included; null takes what the model's length leaves.</summary>
    public int? MaxNewTokens { get; init; }

    /// <summary>Version of the weights to run on; null is whichever is live when the sequence starts.</summary>
    public string? WeightVersion { get; init; }

    /// <summary>Texts at which the visible answer ends; they are not part of it.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>
    /// Where tools are offered, the model ends its turn and has neither called nor written anything (Tool-N1 was trained to
    /// answer <c>[]</c> when no tool applies): asks it a second time, without the tools, and appends that answer to the same
    /// events. Off for evaluations, which score what the model says of itself.
    /// </summary>
    public bool AnswersInWords { get; init; }

    /// <summary>Only requests with the same salt share prefix-cache blocks: give each tenant its own.</summary>
    public string? CacheSalt { get; init; }

    /// <summary>The answer is text that begins with a visible character: no thinking, no call, not nothing.</summary>
    internal bool MustWrite { get; init; }
}
