using static TorchSharp.torch;

namespace ToolN1.Engine.Execution;

/// <summary>Copies weights a piece at a time, so that what lies between two pieces need not wait for a large tensor.</summary>
internal static class WeightCopy
{
    /// <summary>Copies tensors.</summary>
    /// <param name="sources">Names, and tensors of one dimension or more; unchanged until the last piece.</param>
    /// <param name="dtype">Dtype of the copies; null keeps each one's.</param>
    /// <param name="device">Where they go.</param>
    /// <param name="pieceBytes">Bytes that a piece writes at most; one row of a tensor (along its first dimension) at least.</param>
    /// <param name="copies">Gets every copy as it is begun; its owner frees them, whether or not all pieces are asked for.</param>
    /// <returns>The bytes of each piece, copied when it is asked for.</returns>
    public static IEnumerable<long> InPieces(
        IEnumerable<(string Name, Tensor Tensor)> sources, ScalarType? dtype, Device device, long pieceBytes, Dictionary<string, Tensor> copies)
    {
        foreach ((string name, Tensor source) in sources)
        {
            Tensor copy = empty(source.shape, dtype ?? source.dtype, device).DetachFromDisposeScope();
            copies.Add(name, copy);
            long rows = copy.shape[0];
            long rowBytes = copy.numel() / Math.Max(1, rows) * copy.ElementSize;
            long rowsAtOnce = Math.Max(1, pieceBytes / Math.Max(1, rowBytes));
            for (long row = 0; row < rows; row += rowsAtOnce)
            {
                long count = Math.Min(rowsAtOnce, rows - row);
                CopyRows(source, copy, row, count);
                yield return count * rowBytes;
            }
        }
    }

    private static void CopyRows(Tensor source, Tensor copy, long first, long count)
    {
        using IDisposable scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        copy.narrow(0, first, count).copy_(source.detach().narrow(0, first, count));
    }
}
