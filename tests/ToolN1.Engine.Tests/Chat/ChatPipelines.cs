using Microsoft.Extensions.Options;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Constraints;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Engine.Tests.Chat;

/// <summary>Pipelines as the server puts them together.</summary>
internal static class ChatPipelines
{
    public static ChatPipeline Create(IInferenceEngine engine, Tokenizer tokenizer, IChatFormat format, EngineOptions? options = null)
    {
        options ??= new EngineOptions();
        return new ChatPipeline(engine, tokenizer, format, new ChatConstraints(
            ConstraintCompiler.Create(tokenizer, format, engine.Model, options), Options.Create(options)));
    }

    public static async Task<IAsyncEnumerable<ChatEvent>> StartAsync(this ChatPipeline pipeline, ChatRequest request, CancellationToken cancellationToken) =>
        pipeline.Generate(await pipeline.PrepareAsync(request, cancellationToken), cancellationToken);
}
