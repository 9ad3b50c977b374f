using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Passes;

/// <summary>How autograd's passes cut the rows that the head looks at, so that their logits fit; on a CPU into pieces of few sizes.</summary>
internal sealed class HeadPieces
{
    private readonly int _most;

    /// <summary>Cuts for a model.</summary>
    /// <param name="logitElements">Logits that may exist at once.</param>
    /// <param name="vocabulary">Logits of a row.</param>
    /// <param name="device">Where they are computed.</param>
    public HeadPieces(long logitElements, int vocabulary, Device device)
    {
        long rows = Math.Max(1, logitElements / vocabulary);
        _most = (int)(device.type == DeviceType.CPU && rows > PassPlan.RowAlignment ? PassPlan.Whole(rows) : rows);
        Alignment = Math.Min(_most, PassPlan.RowAlignment);
    }

    /// <summary>Rows of a multiple of this make pieces of few sizes.</summary>
    public int Alignment { get; }

    /// <summary>The pieces, none of them padding alone.</summary>
    /// <param name="rows">On a CPU a multiple of <see cref="Alignment"/>.</param>
    public IEnumerable<(int Start, int Count)> Of(long rows)
    {
        for (int start = 0; start < rows; start += _most)
        {
            yield return (start, (int)Math.Min(_most, rows - start));
        }
    }
}
