using ToolN1.Engine.Model;

namespace ToolN1.Engine.Execution;

/// <summary>What one weight version computes with.</summary>
/// <param name="Decoder">Whole weights, shared by all versions that are adapters over them.</param>
/// <param name="Adapter">The adapter, or null for the weights alone.</param>
internal sealed record ServedWeights(Decoder Decoder, LoraAdapter? Adapter);
