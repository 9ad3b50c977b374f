namespace ToolN1.Engine.Model;

/// <summary>The families of decoders that <see cref="Decoder"/> can be.</summary>
public enum ModelArchitecture
{
    /// <summary>Qwen2 and Qwen2.5: biases on query, key and value.</summary>
    Qwen2,

    /// <summary>Qwen3: RMS norms over each head's query and key before RoPE, no bias.</summary>
    Qwen3,

    /// <summary>Llama 3 and 3.1: no bias, scaled RoPE.</summary>
    Llama,
}
