using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Kernels;

/// <summary>
/// A projection's weight on its way into panels, a run of panels at a time, so that what lies between two runs need not wait
/// for a large one. Disposing it before <see cref="Finish"/> gives it up: the projection is then still to be disposed, and
/// not to be used where it was being packed in place.
/// </summary>
internal sealed unsafe class PanelPacking : IDisposable
{
    private readonly Linear _linear;
    private readonly PanelKernel _kernel;
    private readonly WorkerPool _workers;
    private readonly int _outputs;
    private readonly int _inputs;
    private readonly int _panels;
    private readonly bool _inPlace;
    private Tensor? _packed;
    private int _done;

    /// <summary>Begins.</summary>
    /// <param name="linear">On the CPU, in the kernel's dtype; not to be used from now on.</param>
    /// <param name="kernel">Will multiply.</param>
    /// <param name="workers">Threads to share the work; not owned.</param>
    public PanelPacking(Linear linear, PanelKernel kernel, WorkerPool workers)
    {
        _linear = linear;
        _kernel = kernel;
        _workers = workers;
        _outputs = (int)linear.Weight.shape[0];
        _inputs = (int)linear.Weight.shape[1];
        _panels = (_outputs + PanelKernel.PanelWidth - 1) / PanelKernel.PanelWidth;

        // Whole panels that take exactly the bytes of their rows are packed where they lie.
        _inPlace = _outputs % PanelKernel.PanelWidth == 0 && PanelBytes == PanelKernel.PanelWidth * RowBytes;
        _packed = _inPlace ? linear.Weight : empty([_panels, PanelBytes / linear.Weight.ElementSize], linear.Weight.dtype).DetachFromDisposeScope();
    }

    /// <summary>Whether every panel is packed.</summary>
    public bool IsDone => _done == _panels;

    private long PanelBytes => _kernel.PanelBytes(_inputs);

    private long RowBytes => _inputs * _linear.Weight.ElementSize;

    /// <summary>Packs the next panels.</summary>
    /// <param name="maxBytes">How many bytes of panels at most; one panel at least.</param>
    /// <returns>Bytes of the panels packed.</returns>
    public long PackNext(long maxBytes)
    {
        int first = _done;
        int count = (int)Math.Clamp(maxBytes / PanelBytes, 1, _panels - first);
        byte* source = TensorMemory.Address(_linear.Weight);
        byte* target = TensorMemory.Address(_packed!);
        _workers.Run(count, (i, _) =>
        {
            int panel = first + i;
            _kernel.Pack(
                source + (panel * PanelKernel.PanelWidth * RowBytes),
                Math.Min(PanelKernel.PanelWidth, _outputs - (panel * PanelKernel.PanelWidth)),
                _inputs,
                target + (panel * PanelBytes));
        });
        GC.KeepAlive(_linear.Weight);
        _done += count;
        return count * PanelBytes;
    }

    /// <summary>Makes the packed projection, which takes the tensors over.</summary>
    /// <param name="wideResult">True to return the float32 sums rather than round them to bf16.</param>
    /// <param name="keepsOriginal">True when the weight is somebody else's too: it is then not freed where it was not packed in place.</param>
    public PackedLinear Finish(bool wideResult, bool keepsOriginal)
    {
        float[]? bias = null;
        if (_linear.Bias is not null)
        {
            using Tensor wideBias = _linear.Bias.to_type(ScalarType.Float32);
            bias = new float[_panels * PanelKernel.PanelWidth];
            wideBias.data<float>().ToArray().CopyTo(bias, 0);
            _linear.Bias.Dispose();
        }

        if (!_inPlace && !keepsOriginal)
        {
            _linear.Weight.Dispose();
        }

        PackedLinear result = new(_kernel, _packed!, bias, _outputs, _inputs, wideResult, _workers);
        _packed = null;
        return result;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_inPlace)
        {
            _packed?.Dispose();
        }
    }
}
