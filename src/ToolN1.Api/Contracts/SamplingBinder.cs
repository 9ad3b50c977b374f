using System.Globalization;
using System.Text.Json;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;
using ToolN1.Engine;
using ToolN1.Engine.Sampling;

namespace ToolN1.Api.Contracts;

/// <summary>Maps the sampling fields of a checked request.</summary>
internal static class SamplingBinder
{
    // OpenAI allows top_p 0; the smallest set with any probability at all is the likeliest token.
    private const float SmallestTopP = 1e-9f;

    // A float holds nothing much smaller, and every penalty near this one favours repetition as much as can be.
    private const float SmallestRepetitionPenalty = 1e-30f;

    /// <summary>The request's sampling parameters, without log-probabilities.</summary>
    /// <exception cref="ApiException">400: a token id is not in the vocabulary, or limits contradict each other.</exception>
    public static SamplingParameters Bind(JsonElement request, ModelInfo model, int? maxNewTokens)
    {
        int minNewTokens = request.Integer("min_tokens") ?? 0;
        if (minNewTokens > (maxNewTokens ?? model.MaxModelLength))
        {
            throw ApiException.Invalid("min_tokens", $"'min_tokens' ({minNewTokens}) is more than may be generated ({maxNewTokens ?? model.MaxModelLength}).");
        }

        int[] stopTokenIds = TokenIds(request.Items("stop_token_ids"), FieldPath.Root.Field("stop_token_ids"), model.VocabularySize);
        if (minNewTokens > 0 && stopTokenIds.Union(model.EndOfSequenceIds).Count() >= model.VocabularySize)
        {
            throw ApiException.Invalid("stop_token_ids", "Every token ends the answer, so that there is none that 'min_tokens' could be made of.");
        }

        return new SamplingParameters
        {
            Temperature = (float)(request.Number("temperature") ?? 1),
            TopP = Math.Max((float)(request.Number("top_p") ?? 1), SmallestTopP),
            TopK = request.Integer("top_k") ?? 0,
            MinP = (float)(request.Number("min_p") ?? 0),
            PresencePenalty = (float)(request.Number("presence_penalty") ?? 0),
            FrequencyPenalty = (float)(request.Number("frequency_penalty") ?? 0),
            RepetitionPenalty = Math.Max((float)(request.Number("repetition_penalty") ?? 1), SmallestRepetitionPenalty),
            LogitBias = LogitBias(request, model.VocabularySize),
            Seed = request.Long("seed"),
            StopTokenIds = stopTokenIds,
            IgnoreEndOfSequence = request.Boolean("ignore_eos") ?? false,
            MinNewTokens = minNewTokens,
        };
    }

    /// <summary>The parameters of choice number <paramref name="choice"/> of a request.</summary>
    public static SamplingParameters ForChoice(SamplingParameters sampling, int choice) =>
        sampling.Seed is long seed && choice > 0
            ? sampling with { Seed = unchecked(seed ^ (choice * (long)0x9E3779B97F4A7C15UL)) }
            : sampling;

    /// <summary>The stop texts.</summary>
    public static IReadOnlyList<string> Stop(JsonElement request) => request.Has("stop", out JsonElement stop)
        ? stop.ValueKind == JsonValueKind.String ? [stop.GetString()!] : [.. stop.EnumerateArray().Select(text => text.GetString()!)]
        : [];

    /// <summary>Who shares cached prompt prefixes with the request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="tenant">Who asks (<see cref="Auth.Tenant"/>).</param>
    public static string? CacheSalt(JsonElement request, string? tenant) =>
        request.String("cache_salt") is string salt ? $"{tenant}\n{salt}" : tenant;

    /// <summary>Token ids, each within the vocabulary.</summary>
    /// <exception cref="ApiException">400 naming the element.</exception>
    public static int[] TokenIds(IEnumerable<JsonElement> items, FieldPath path, int vocabularySize)
    {
        List<int> ids = [];
        foreach (JsonElement item in items)
        {
            int id = item.GetInt32();
            if (id >= vocabularySize)
            {
                FieldPath place = path.Item(ids.Count);
                throw ApiException.Invalid(place.ToParam(), $"'{place}' is {id}, but the vocabulary has only the ids 0 to {vocabularySize - 1}.");
            }

            ids.Add(id);
        }

        return [.. ids];
    }

    private static Dictionary<int, float>? LogitBias(JsonElement request, int vocabularySize)
    {
        if (!request.Has("logit_bias", out JsonElement map))
        {
            return null;
        }

        Dictionary<int, float> biases = [];
        foreach (JsonProperty entry in map.EnumerateObject())
        {
            if (!int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int id) || id >= vocabularySize || !biases.TryAdd(id, (float)entry.Value.GetDouble()))
            {
                throw ApiException.Invalid(
                    $"logit_bias.{entry.Name}",
                    $"Invalid key in 'logit_bias': '{entry.Name}' is not a token id between 0 and {vocabularySize - 1}, or is given twice.");
            }
        }

        return biases;
    }
}
