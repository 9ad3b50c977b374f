using System.Text.Json;
using Microsoft.Extensions.Options;
using ToolN1.Api.Contracts;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Hosting;
using ToolN1.Training.Jobs.Models;

namespace ToolN1.Api.Endpoints;

/// <summary>POST /tokenize and /detokenize.</summary>
internal sealed class TokenizeEndpoints(ServedModel model, ModelCatalog catalog, IOptions<ChatServingOptions> options)
{
    private static readonly string[] ChatOnly = ["tools", "add_generation_prompt"];
    private static readonly string[] PromptOnly = ["add_special_tokens"];

    /// <summary>Text or a conversation to ids.</summary>
    public async Task TokenizeAsync(HttpContext context)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context, TokenizeShapes.Tokenize);
        JsonElement request = body.RootElement;
        await catalog.RequireAsync(request);
        int[] ids = Encode(request);
        TokenizeResponse answer = new()
        {
            Count = ids.Length,
            MaxModelLen = model.Info.MaxModelLength,
            Tokens = ids,
            TokenStrs = request.Boolean("return_token_strs") == true ? [.. ids.Select(id => model.Tokenizer.Decode([id]))] : null,
        };
        await JsonAnswer.WriteAsync(context, answer, ApiJsonContext.Relaxed.TokenizeResponse);
    }

    /// <summary>Ids to text.</summary>
    public async Task DetokenizeAsync(HttpContext context)
    {
        using JsonDocument body = await RequestBody.ReadAsync(context, TokenizeShapes.Detokenize);
        JsonElement request = body.RootElement;
        await catalog.RequireAsync(request);
        int[] ids = SamplingBinder.TokenIds(request.Items("tokens"), FieldPath.Root.Field("tokens"), model.Tokenizer.VocabularySize);
        await JsonAnswer.WriteAsync(context, new DetokenizeResponse { Prompt = model.Tokenizer.Decode(ids) }, ApiJsonContext.Relaxed.DetokenizeResponse);
    }

    private int[] Encode(JsonElement request)
    {
        string? prompt = request.String("prompt");
        bool chat = request.Has("messages", out _);
        if (prompt is not null == chat)
        {
            throw ApiException.Invalid(chat ? "messages" : "prompt", "Give exactly one of 'prompt' and 'messages'.", "missing_required_parameter");
        }

        IEnumerable<string> others = chat ? PromptOnly : ChatOnly;
        if (others.FirstOrDefault(name => request.Has(name, out _)) is string misplaced)
        {
            throw ApiException.Invalid(misplaced, $"'{misplaced}' is only allowed with '{(chat ? "prompt" : "messages")}'.");
        }

        if (chat)
        {
            bool addGenerationPrompt = request.Boolean("add_generation_prompt") ?? true;
            return model.Format.Render(MessageBinder.Bind(request, options.Value.KeepReasoning, mayEndInCalls: true), ToolBinder.Tools(request), addGenerationPrompt).Encode(model.Tokenizer);
        }

        return request.Boolean("add_special_tokens") ?? true
            ? model.Tokenizer.EncodePrompt(prompt!)
            : model.Tokenizer.EncodeWithAddedTokens(prompt!);
    }
}
