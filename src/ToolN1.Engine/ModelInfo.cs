namespace ToolN1.Engine;

/// <summary>What a caller may know of the model that an engine serves.</summary>
/// <param name="Name">Served model id.</param>
/// <param name="MaxModelLength">Prompt and answer tokens together that one sequence may hold.</param>
/// <param name="VocabularySize">Width of the logits; every token id is below it.</param>
/// <param name="EndOfSequenceIds">Ids that end a sequence, from generation_config.json.</param>
/// <param name="WeightVersion">Identity of the weights; it salts prefix-cache keys and changes whenever they do.</param>
public sealed record ModelInfo(
    string Name,
    int MaxModelLength,
    int VocabularySize,
    IReadOnlyList<int> EndOfSequenceIds,
    string WeightVersion);
