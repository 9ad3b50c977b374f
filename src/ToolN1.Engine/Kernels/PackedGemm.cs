using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ToolN1.Engine.Kernels;

/// <summary>
/// Products of float32 rows with weights that lie in panels of 32 outputs (<see cref="IPanel"/>), summed in float32. Each sum
/// runs over the inputs in order, whatever the number of rows, so a row's result never depends on its batch.
/// </summary>
internal static unsafe class PackedGemm
{
    /// <summary>Outputs in a panel.</summary>
    public const int PanelWidth = 32;

    private const int Lanes = 16;

    /// <summary>Most rows in one call of <see cref="Tile"/>: as many accumulators as the registers hold.</summary>
    public static int MaxTileRows => Vector512.IsHardwareAccelerated ? 8 : 2;

    /// <summary>Rows of the next tile when so many are left.</summary>
    public static int TileRows(int left) => Math.Min(MaxTileRows, left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1);

    /// <summary>Fills one panel.</summary>
    /// <param name="rows">The panel's rows of the weight, [rows, inputs]; may be where the panel is to be.</param>
    /// <param name="count">Rows, at most 32; missing ones count as zero.</param>
    /// <param name="inputs">Columns of the weight.</param>
    /// <param name="panel">[inputs, 32].</param>
    public static void Pack<TPanel, TWeight>(TWeight* rows, int count, int inputs, TWeight* panel)
        where TPanel : struct, IPanel
        where TWeight : unmanaged
    {
        TWeight[] copy = new ReadOnlySpan<TWeight>(rows, count * inputs).ToArray();
        for (int output = 0; output < PanelWidth; output++)
        {
            TWeight* to = panel + TPanel.PlaceOf(output);
            for (int input = 0; input < inputs; input++)
            {
                to[(long)input * PanelWidth] = output < count ? copy[(output * inputs) + input] : default;
            }
        }
    }

    /// <summary>Reads one row of the weight back.</summary>
    /// <param name="panels">All panels.</param>
    /// <param name="output">The row.</param>
    /// <param name="inputs">Columns of the weight.</param>
    /// <param name="row">[inputs].</param>
    public static void Unpack<TPanel, TWeight>(TWeight* panels, long output, int inputs, TWeight* row)
        where TPanel : struct, IPanel
        where TWeight : unmanaged
    {
        TWeight* from = panels + (output / PanelWidth * PanelWidth * inputs) + TPanel.PlaceOf((int)(output % PanelWidth));
        for (int input = 0; input < inputs; input++)
        {
            row[input] = from[(long)input * PanelWidth];
        }
    }

    /// <summary>1, 2, 4 or 8 rows times one panel.</summary>
    /// <param name="rows">As <see cref="TileRows"/> says.</param>
    /// <param name="x">float32 [rows, inputs].</param>
    /// <param name="panel">[inputs, 32].</param>
    /// <param name="inputs">Length of the sums.</param>
    /// <param name="result">float32 [rows, 32].</param>
    public static void Tile<TPanel>(int rows, float* x, byte* panel, int inputs, float* result)
        where TPanel : struct, IPanel
    {
        switch (rows)
        {
            case 8:
                Tile8<TPanel>(x, panel, inputs, result);
                break;
            case 4:
                Tile4<TPanel>(x, panel, inputs, result);
                break;
            case 2:
                Tile2<TPanel>(x, panel, inputs, result);
                break;
            default:
                Tile1<TPanel>(x, panel, inputs, result);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1<TPanel>(float* x, byte* panel, int inputs, float* result)
        where TPanel : struct, IPanel
    {
        Vector512<float> l0 = Vector512<float>.Zero, h0 = l0;
        for (int i = 0; i < inputs; i++)
        {
            TPanel.Load(panel + ((long)i * PanelWidth * TPanel.Size), out Vector512<float> low, out Vector512<float> high);
            Vector512<float> a = Vector512.Create(x[i]);
            l0 = Vector512.FusedMultiplyAdd(low, a, l0);
            h0 = Vector512.FusedMultiplyAdd(high, a, h0);
        }

        Store(result, 0, l0, h0);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile2<TPanel>(float* x, byte* panel, int inputs, float* result)
        where TPanel : struct, IPanel
    {
        Vector512<float> l0 = Vector512<float>.Zero, h0 = l0, l1 = l0, h1 = l0;
        float* x1 = x + inputs;
        for (int i = 0; i < inputs; i++)
        {
            TPanel.Load(panel + ((long)i * PanelWidth * TPanel.Size), out Vector512<float> low, out Vector512<float> high);
            Vector512<float> a = Vector512.Create(x[i]);
            l0 = Vector512.FusedMultiplyAdd(low, a, l0);
            h0 = Vector512.FusedMultiplyAdd(high, a, h0);
            a = Vector512.Create(x1[i]);
            l1 = Vector512.FusedMultiplyAdd(low, a, l1);
            h1 = Vector512.FusedMultiplyAdd(high, a, h1);
        }

        Store(result, 0, l0, h0);
        Store(result, 1, l1, h1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4<TPanel>(float* x, byte* panel, int inputs, float* result)
        where TPanel : struct, IPanel
    {
        Vector512<float> l0 = Vector512<float>.Zero, h0 = l0, l1 = l0, h1 = l0, l2 = l0, h2 = l0, l3 = l0, h3 = l0;
        long second = 2L * inputs;
        long third = 3L * inputs;
        for (int i = 0; i < inputs; i++)
        {
            TPanel.Load(panel + ((long)i * PanelWidth * TPanel.Size), out Vector512<float> low, out Vector512<float> high);
            float* column = x + i;
            Vector512<float> a = Vector512.Create(column[0]);
            l0 = Vector512.FusedMultiplyAdd(low, a, l0);
            h0 = Vector512.FusedMultiplyAdd(high, a, h0);
            a = Vector512.Create(column[inputs]);
            l1 = Vector512.FusedMultiplyAdd(low, a, l1);
            h1 = Vector512.FusedMultiplyAdd(high, a, h1);
            a = Vector512.Create(column[second]);
            l2 = Vector512.FusedMultiplyAdd(low, a, l2);
            h2 = Vector512.FusedMultiplyAdd(high, a, h2);
            a = Vector512.Create(column[third]);
            l3 = Vector512.FusedMultiplyAdd(low, a, l3);
            h3 = Vector512.FusedMultiplyAdd(high, a, h3);
        }

        Store(result, 0, l0, h0);
        Store(result, 1, l1, h1);
        Store(result, 2, l2, h2);
        Store(result, 3, l3, h3);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile8<TPanel>(float* x, byte* panel, int inputs, float* result)
        where TPanel : struct, IPanel
    {
        Vector512<float> l0 = Vector512<float>.Zero, h0 = l0, l1 = l0, h1 = l0, l2 = l0, h2 = l0, l3 = l0, h3 = l0;
        Vector512<float> l4 = l0, h4 = l0, l5 = l0, h5 = l0, l6 = l0, h6 = l0, l7 = l0, h7 = l0;
        float* x4 = x + (4L * inputs);
        long second = 2L * inputs;
        long third = 3L * inputs;
        for (int i = 0; i < inputs; i++)
        {
            TPanel.Load(panel + ((long)i * PanelWidth * TPanel.Size), out Vector512<float> low, out Vector512<float> high);
            float* column = x + i;
            float* column4 = x4 + i;
            Vector512<float> a = Vector512.Create(column[0]);
            l0 = Vector512.FusedMultiplyAdd(low, a, l0);
            h0 = Vector512.FusedMultiplyAdd(high, a, h0);
            a = Vector512.Create(column[inputs]);
            l1 = Vector512.FusedMultiplyAdd(low, a, l1);
            h1 = Vector512.FusedMultiplyAdd(high, a, h1);
            a = Vector512.Create(column[second]);
            l2 = Vector512.FusedMultiplyAdd(low, a, l2);
            h2 = Vector512.FusedMultiplyAdd(high, a, h2);
            a = Vector512.Create(column[third]);
            l3 = Vector512.FusedMultiplyAdd(low, a, l3);
            h3 = Vector512.FusedMultiplyAdd(high, a, h3);
            a = Vector512.Create(column4[0]);
            l4 = Vector512.FusedMultiplyAdd(low, a, l4);
            h4 = Vector512.FusedMultiplyAdd(high, a, h4);
            a = Vector512.Create(column4[inputs]);
            l5 = Vector512.FusedMultiplyAdd(low, a, l5);
            h5 = Vector512.FusedMultiplyAdd(high, a, h5);
            a = Vector512.Create(column4[second]);
            l6 = Vector512.FusedMultiplyAdd(low, a, l6);
            h6 = Vector512.FusedMultiplyAdd(high, a, h6);
            a = Vector512.Create(column4[third]);
            l7 = Vector512.FusedMultiplyAdd(low, a, l7);
            h7 = Vector512.FusedMultiplyAdd(high, a, h7);
        }

        Store(result, 0, l0, h0);
        Store(result, 1, l1, h1);
        Store(result, 2, l2, h2);
        Store(result, 3, l3, h3);
        Store(result, 4, l4, h4);
        Store(result, 5, l5, h5);
        Store(result, 6, l6, h6);
        Store(result, 7, l7, h7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* result, int row, Vector512<float> low, Vector512<float> high)
    {
        low.Store(result + (row * PanelWidth));
        high.Store(result + (row * PanelWidth) + Lanes);
    }
}
