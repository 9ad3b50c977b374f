using System.Runtime.InteropServices;
using Register = ToolN1.Engine.Kernels.KernelAssembler.Register;

namespace ToolN1.Engine.Kernels;

/// <summary>
/// bf16 products by AMX's tiles, in machine code of our own. A step of a sum takes 32 inputs: the products of the even and those
/// of the odd ones are summed apart, in float32 and in order, and both are then added; denormal numbers count as zero.
/// </summary>
/// <remarks>
/// A panel is a <see cref="PairPanel"/> of whole steps, 16 pairs each: one tile for outputs 0 to 15, one for 16 to 31. Rows are read
/// where they lie, sixteen to a tile. Two tiles of rows times two of weights keep four sums going, whose latencies then hide behind
/// each other.
/// </remarks>
internal sealed unsafe class TileKernel : PanelKernel
{
    private const int TileRows = 16;
    private const int StepInputs = 32;
    private const int StepBytes = StepInputs / 2 * PanelWidth * 4;
    private const int ShapeBytes = 64;

    // How far ahead rows that fit into one pass ask for weights; more rows compute long enough for the processor to run ahead.
    private const int PrefetchDistance = 8192;

    private readonly byte* _shapes;
    private readonly nint[] _code;

    private TileKernel(byte* shapes, nint[] code)
    {
        _shapes = shapes;
        _code = code;
    }

    /// <summary>Null where the CPU lacks the instructions or the system refuses tiles or executable memory.</summary>
    public static TileKernel? Instance { get; } = TryCreate();

    /// <inheritdoc/>
    public override int RowBlock => 128;

    /// <inheritdoc/>
    public override long PanelBytes(int inputs) => PairPanel.Bytes(Steps(inputs) * StepInputs / 2);

    /// <inheritdoc/>
    public override void Pack(byte* rows, int count, int inputs, byte* panel) => PairPanel.Pack(rows, count, inputs, Steps(inputs) * StepInputs / 2, panel);

    /// <inheritdoc/>
    public override void Unpack(byte* panels, long output, int inputs, byte* row) => PairPanel.Unpack(panels, output, inputs, Steps(inputs) * StepInputs / 2, row);

    /// <inheritdoc/>
    public override long PreparedBytes(int rows, int inputs) => inputs % StepInputs == 0 ? 0 : (long)rows * RowBytes(inputs);

    /// <inheritdoc/>
    public override void Prepare(byte* input, int rows, int inputs, byte* prepared)
    {
        for (int row = 0; row < rows; row++)
        {
            Span<ushort> target = new(prepared + (row * RowBytes(inputs)), Steps(inputs) * StepInputs);
            new ReadOnlySpan<ushort>(input + (2L * row * inputs), inputs).CopyTo(target);
            target[inputs..].Clear();
        }
    }

    /// <inheritdoc/>
    public override void Multiply(byte* prepared, int rows, byte* panel, int inputs, float* sums)
    {
        int parts = (rows + (2 * TileRows) - 1) / (2 * TileRows);
        for (int part = 0; part < parts; part++)
        {
            int from = rows * part / parts;
            int count = (rows * (part + 1) / parts) - from;
            nint code = _code[(count > TileRows ? 2 : 0) + (parts == 1 ? 1 : 0)];
            ((delegate* unmanaged<byte*, byte*, float*, long, long, byte*, void>)code)(
                prepared + (from * RowBytes(inputs)), panel, sums + (from * PanelWidth), Steps(inputs), RowBytes(inputs), _shapes + (count * ShapeBytes));
        }
    }

    private static int Steps(int inputs) => (inputs + StepInputs - 1) / StepInputs;

    private static long RowBytes(int inputs) => 2L * Steps(inputs) * StepInputs;

    private static TileKernel? TryCreate()
    {
        if (!CpuFeatures.HasTiles)
        {
            return null;
        }

        List<byte> code = [];
        List<int> starts = [];
        foreach (bool second in new[] { false, true })
        {
            foreach (bool prefetches in new[] { false, true })
            {
                starts.Add(code.Count);
                code.AddRange(Assemble(second, prefetches));
            }
        }

        byte* placed = MachineCode.TryPlace([.. code]);
        return placed is null ? null : new TileKernel(Shapes(), [.. starts.Select(start => (nint)placed + start)]);
    }

    // For every number of rows up to 32, kept for as long as the process lives.
    private static byte* Shapes()
    {
        const int Most = 2 * TileRows;
        byte* shapes = (byte*)NativeMemory.AlignedAlloc((Most + 1) * ShapeBytes, ShapeBytes);
        new Span<byte>(shapes, (Most + 1) * ShapeBytes).Clear();
        for (int rows = 1; rows <= Most; rows++)
        {
            byte* shape = shapes + (rows * ShapeBytes);
            int first = Math.Min(rows, TileRows);
            int second = rows - first;
            shape[0] = 1;
            ReadOnlySpan<int> tileRows = [first, first, second, second, first, second, StepInputs / 2, StepInputs / 2];
            for (int tile = 0; tile < tileRows.Length; tile++)
            {
                ((ushort*)(shape + 16))[tile] = (ushort)(tileRows[tile] == 0 ? 0 : 64);
                shape[48 + tile] = (byte)tileRows[tile];
            }
        }

        return shapes;
    }

    // void tiles(byte* rows, byte* panel, float* sums, long steps, long rowBytes, byte* shapes)
    private static byte[] Assemble(bool second, bool prefetches)
    {
        // Sums 0 to 3, rows 4 and 5, weights 6 and 7.
        int sums = second ? 4 : 2;
        KernelAssembler code = new();
        code.LoadTileShapes(Register.R9);
        code.Set(Register.Rax, PanelWidth * 4);
        if (second)
        {
            code.AddressOf8(Register.R9, Register.Rdi, Register.R8);
            code.AddressOf8(Register.R9, Register.R9, Register.R8);
        }

        for (int sum = 0; sum < sums; sum++)
        {
            code.ZeroTile(sum);
        }

        int start = code.Position;
        code.LoadTile(4, Register.Rdi, 0, Register.R8);
        code.LoadTile(6, Register.Rsi, 0, Register.Rax);
        code.LoadTile(7, Register.Rsi, 64, Register.Rax);
        code.DotTilesBFloat16(0, 4, 6);
        code.DotTilesBFloat16(1, 4, 7);
        if (second)
        {
            code.LoadTile(5, Register.R9, 0, Register.R8);
            code.DotTilesBFloat16(2, 5, 6);
            code.DotTilesBFloat16(3, 5, 7);
            code.Add(Register.R9, 2 * StepInputs);
        }

        for (int line = 0; prefetches && line < StepBytes; line += 64)
        {
            code.Prefetch(Register.Rsi, PrefetchDistance + line);
        }

        code.Add(Register.Rdi, 2 * StepInputs);
        code.Add(Register.Rsi, StepBytes);
        code.Decrement(Register.Rcx);
        code.JumpBackIfNotZero(start);
        for (int sum = 0; sum < sums; sum++)
        {
            code.StoreTile(sum, Register.Rdx, (sum / 2 * TileRows * PanelWidth * 4) + (sum % 2 * 64), Register.Rax);
        }

        code.ReleaseTiles();
        code.Return();
        return code.ToArray();
    }
}
