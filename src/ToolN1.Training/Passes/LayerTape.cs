using static TorchSharp.torch;

namespace ToolN1.Training.Passes;

/// <summary>What a layer's way back needs of its way forward. Owns its tensors.</summary>
internal sealed class LayerTape : IDisposable
{
    /// <summary>f32: the layer's input.</summary>
    public Tensor? Residual;

    /// <summary>1 / root mean square of each row of <see cref="Residual"/>.</summary>
    public Tensor? InputScales;

    /// <summary><see cref="Residual"/> after its norm.</summary>
    public Tensor? Input;

    /// <summary>By key head and slot; rotated and scaled.</summary>
    public Tensor? Query;

    /// <summary>By key head and slot; rotated.</summary>
    public Tensor? Key;

    /// <summary>By key head and slot.</summary>
    public Tensor? Value;

    /// <summary>Of every piece and key head: what queries give to the prefix, and to what is near.</summary>
    public List<(Tensor? Context, Tensor Near)> Probabilities = [];

    /// <summary>Attention's output by key head and slot.</summary>
    public Tensor? Mixed;

    /// <summary>Attention's output by token.</summary>
    public Tensor? Attended;

    /// <summary>f32: the residual after attention.</summary>
    public Tensor? Middle;

    /// <summary>1 / root mean square of each row of <see cref="Middle"/>.</summary>
    public Tensor? HiddenScales;

    /// <summary><see cref="Middle"/> after its norm.</summary>
    public Tensor? Hidden;

    /// <summary>Gate and up in one row.</summary>
    public Tensor? GateUp;

    /// <summary>silu(gate) · up.</summary>
    public Tensor? Gated;

    /// <summary>Whether the way back can begin; otherwise the layer is to be computed again.</summary>
    public bool IsWhole => Gated is not null;

    /// <summary>Frees all but <see cref="Middle"/>, which the next layer reads, and, where wanted, <see cref="Residual"/>.</summary>
    public void Trim(bool keepsInput)
    {
        (Tensor? middle, Tensor? residual) = (Middle, Residual);
        Middle = null;
        Residual = keepsInput ? null : Residual;
        Dispose();
        Middle = middle;
        Residual = keepsInput ? residual : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor? tensor in new[] { Residual, InputScales, Input, Query, Key, Value, Mixed, Attended, Middle, HiddenScales, Hidden, GateUp, Gated })
        {
            tensor?.Dispose();
        }

        foreach ((Tensor? context, Tensor near) in Probabilities)
        {
            context?.Dispose();
            near.Dispose();
        }

        Probabilities = [];
        Residual = InputScales = Input = Query = Key = Value = Mixed = Attended = Middle = HiddenScales = Hidden = GateUp = Gated = null;
    }
}
