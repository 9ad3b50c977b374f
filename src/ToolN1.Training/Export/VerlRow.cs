using System.Text.Json.Serialization;

namespace ToolN1.Training.Export;

/// <summary>A row as verl's RL dataset reads it from parquet.</summary>
internal sealed class VerlRow
{
    /// <summary>Names the reward's kind in verl's metrics.</summary>
    [JsonPropertyName("data_source")]
    public string DataSource { get; set; } = "tooln1";

    /// <summary>The conversation, to which verl applies the tokenizer's chat template.</summary>
    [JsonPropertyName("prompt")]
    public List<VerlMessage> Prompt { get; set; } = [];

    /// <summary>A label.</summary>
    [JsonPropertyName("ability")]
    public string Ability { get; set; } = "tool_call";

    /// <summary>What the reward needs.</summary>
    [JsonPropertyName("reward_model")]
    public VerlTruth RewardModel { get; set; } = new();

    /// <summary>Where the row is from.</summary>
    [JsonPropertyName("extra_info")]
    public VerlExtra ExtraInfo { get; set; } = new();
}

/// <summary>A message.</summary>
internal sealed class VerlMessage
{
    /// <summary>Who speaks.</summary>
    [JsonPropertyName("role")]
    public string Role { get; set; } = string.Empty;

    /// <summary>The text.</summary>
    [JsonPropertyName("content")]
    public string Content { get; set; } = string.Empty;
}

/// <summary>What the reward needs.</summary>
internal sealed class VerlTruth
{
    /// <summary>verl's word for a reward that is a function.</summary>
    [JsonPropertyName("style")]
    public string Style { get; set; } = "rule";

    /// <summary>The right calls, JSON.</summary>
    [JsonPropertyName("ground_truth")]
    public string GroundTruth { get; set; } = string.Empty;
}

/// <summary>Where a row is from.</summary>
internal sealed class VerlExtra
{
    /// <summary><c>train</c> or <c>validation</c>.</summary>
    [JsonPropertyName("split")]
    public string Split { get; set; } = string.Empty;

    /// <summary>Place in the data.</summary>
    [JsonPropertyName("index")]
    public long Index { get; set; }
}
