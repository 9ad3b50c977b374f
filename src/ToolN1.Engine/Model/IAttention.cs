using static TorchSharp.torch;

namespace ToolN1.Engine.Model;

/// <summary>
/// How the tokens of one forward pass see each other and the cache. The decoder hands over every layer's rotated queries
/// and keys; the implementation owns masks, caches and block tables (paged when serving, a dense block mask when training).
/// </summary>
public interface IAttention
{
    /// <summary>Attends one layer.</summary>
    /// <param name="layer">Layer index from 0.</param>
    /// <param name="query">[tokens, heads, headDim], rotated, model dtype.</param>
    /// <param name="key">[tokens, kvHeads, headDim], rotated, model dtype.</param>
    /// <param name="value">[tokens, kvHeads, headDim], model dtype.</param>
    /// <returns>[tokens, heads × headDim], model dtype, in the current dispose scope.</returns>
    Tensor Attend(int layer, Tensor query, Tensor key, Tensor value);
}
