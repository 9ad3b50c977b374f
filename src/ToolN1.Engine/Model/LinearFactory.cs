using static TorchSharp.torch;

namespace ToolN1.Engine.Model;

/// <summary>
/// Makes a projection from its loaded tensors, tensor by tensor while a checkpoint loads; a quantising factory frees the
/// wide weight before the next one is read.
/// </summary>
/// <param name="name">Checkpoint name without <c>.weight</c>, such as <c>model.layers.0.mlp.up_proj</c> or <c>lm_head</c>.</param>
/// <param name="weight">[out, in]; owned by the result.</param>
/// <param name="bias">[out] or null; owned by the result.</param>
public delegate Linear LinearFactory(string name, Tensor weight, Tensor? bias);
