using System.Text.Json;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;
using ToolN1.Engine;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Api.Contracts;

/// <summary>Maps a checked text-completion request to the engine's terms.</summary>
internal static class CompletionBinder
{
    private const int DefaultMaxTokens = 16;

    /// <summary>Maps a request that <see cref="CompletionShape"/> has checked.</summary>
    /// <param name="request">The request.</param>
    /// <param name="model">The served model.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="maxLogProbs">Most log-probabilities in one answer (<see cref="ServerOptions.MaxLogProbs"/>).</param>
    /// <param name="tenant">Who asks, as far as the prefix cache is concerned (<see cref="Auth.Tenant"/>).</param>
    /// <exception cref="ApiException">400 or 404 naming the field.</exception>
    public static CompletionCall Bind(JsonElement request, ModelInfo model, Tokenizer tokenizer, int maxLogProbs, string? tenant)
    {
        int maxNewTokens = request.Integer("max_tokens") ?? DefaultMaxTokens;
        IReadOnlyList<int[]> prompts = Prompts(request.GetProperty("prompt"), model, tokenizer);
        foreach (int[] prompt in prompts)
        {
            if ((long)prompt.Length + maxNewTokens > model.MaxModelLength)
            {
                throw ApiException.ContextLengthExceeded(prompt.Length, maxNewTokens, model.MaxModelLength, "prompt");
            }
        }

        int? logProbs = request.Integer("logprobs");
        int choices = request.Integer("n") ?? 1;
        bool echo = request.Boolean("echo") ?? false;
        CheckSize(prompts, choices, maxNewTokens, echo, logProbs, maxLogProbs);
        SamplingParameters sampling = SamplingBinder.Bind(request, model, maxNewTokens);
        return new CompletionCall(
            prompts,
            maxNewTokens,
            sampling with { TopLogProbs = logProbs },
            SamplingBinder.Stop(request),
            echo,
            logProbs,
            choices,
            ChatBinder.DeliveryOf(request),
            SamplingBinder.CacheSalt(request, tenant));
    }

    /// <summary>Refuses a small request whose answer would be very large.</summary>
    private static void CheckSize(IReadOnlyList<int[]> prompts, int choices, int maxNewTokens, bool echo, int? logProbs, int maxLogProbs)
    {
        long answers = (long)prompts.Count * choices;
        if (answers > CompletionShape.MaxAnswers)
        {
            throw ApiException.Invalid("n", $"'n' ({choices}) times the number of prompts ({prompts.Count}) is more than the {CompletionShape.MaxAnswers} answers that one request may have.");
        }

        if (logProbs is not { } alternatives)
        {
            return;
        }

        if (echo && choices > 1)
        {
            throw ApiException.Invalid("n", "'n' must be 1 where 'echo' and 'logprobs' ask for the prompt's log-probabilities: they are the same in every answer.");
        }

        long echoed = echo ? prompts.Sum(ids => (long)ids.Length) : 0;
        LogProbLimit.Check(
            echoed + (answers * maxNewTokens), alternatives, maxLogProbs, "logprobs", "Send fewer prompts at once, or ask for fewer alternatives, a smaller 'n' or a smaller 'max_tokens'.");
    }

    private static List<int[]> Prompts(JsonElement prompt, ModelInfo model, Tokenizer tokenizer)
    {
        FieldPath path = FieldPath.Root.Field("prompt");
        if (prompt.ValueKind == JsonValueKind.String)
        {
            return [Encode(prompt, path, tokenizer)];
        }

        if (prompt[0].ValueKind == JsonValueKind.Number)
        {
            return [SamplingBinder.TokenIds(prompt.EnumerateArray(), path, model.VocabularySize)];
        }

        List<int[]> prompts = [];
        foreach (JsonElement item in prompt.EnumerateArray())
        {
            FieldPath place = path.Item(prompts.Count);
            prompts.Add(item.ValueKind == JsonValueKind.String
                ? Encode(item, place, tokenizer)
                : SamplingBinder.TokenIds(item.EnumerateArray(), place, model.VocabularySize));
        }

        return prompts;
    }

    private static int[] Encode(JsonElement text, FieldPath path, Tokenizer tokenizer)
    {
        int[] ids = tokenizer.EncodePrompt(text.GetString()!);
        return ids.Length > 0 ? ids : throw ApiException.Invalid(path.ToParam(), $"'{path}' must not be empty: the model continues at least one token.");
    }
}
