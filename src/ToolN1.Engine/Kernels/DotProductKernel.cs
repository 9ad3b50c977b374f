using Register = ToolN1.Engine.Kernels.KernelAssembler.Register;

namespace ToolN1.Engine.Kernels;

/// <summary>
/// bf16 products by AVX512-BF16's dot product of pairs, in machine code of our own. Each step of a sum is two multiply-adds
/// in float32, the pair's second input first; denormal numbers count as zero.
/// </summary>
/// <remarks>A panel is a <see cref="PairPanel"/>: a pair of inputs for sixteen outputs fills a register.</remarks>
internal sealed unsafe class DotProductKernel : PanelKernel
{
    // Two accumulators a row leave four of the 32 registers for two vectors of weights and two of inputs.
    private const int MaxTile = 14;

    private const int Unrolled = 4;

    // How far ahead a lone tile asks for weights; its inputs keep the processor too busy to run ahead by itself.
    private const int PrefetchDistance = 4096;

    private readonly nint[] _tiles;
    private readonly nint[] _loneTiles;

    private DotProductKernel(nint[] tiles, nint[] loneTiles)
    {
        _tiles = tiles;
        _loneTiles = loneTiles;
    }

    /// <summary>Null where the CPU lacks the instruction or the system refuses executable memory.</summary>
    public static DotProductKernel? Instance { get; } = TryCreate();

    /// <inheritdoc/>
    public override int RowBlock => 4 * MaxTile;

    /// <inheritdoc/>
    public override long PanelBytes(int inputs) => PairPanel.Bytes(Pairs(inputs));

    /// <inheritdoc/>
    public override void Pack(byte* rows, int count, int inputs, byte* panel) => PairPanel.Pack(rows, count, inputs, Pairs(inputs), panel);

    /// <inheritdoc/>
    public override void Unpack(byte* panels, long output, int inputs, byte* row) => PairPanel.Unpack(panels, output, inputs, Pairs(inputs), row);

    /// <inheritdoc/>
    public override long PreparedBytes(int rows, int inputs) => rows == 1 && inputs % 2 == 0 ? 0 : 4L * rows * Pairs(inputs);

    /// <inheritdoc/>
    public override void Prepare(byte* input, int rows, int inputs, byte* prepared)
    {
        // Tile after tile, [pairs, rows of the tile].
        int pairs = Pairs(inputs);
        uint* target = (uint*)prepared;
        foreach (int tile in Tiles(rows))
        {
            for (int row = 0; row < tile; row++)
            {
                ushort* source = (ushort*)input + ((long)row * inputs);
                for (int pair = 0; pair < inputs / 2; pair++)
                {
                    target[(pair * tile) + row] = *(uint*)(source + (2 * pair));
                }

                if (inputs % 2 == 1)
                {
                    target[((pairs - 1) * tile) + row] = source[inputs - 1];
                }
            }

            input += 2L * tile * inputs;
            target += (long)tile * pairs;
        }
    }

    /// <inheritdoc/>
    public override void Multiply(byte* prepared, int rows, byte* panel, int inputs, float* sums)
    {
        int pairs = Pairs(inputs);
        byte* next = panel + PanelBytes(inputs);
        foreach (int tile in Tiles(rows))
        {
            // A lone tile waits for memory, so it asks a little ahead. The first two of several compute while they ask for
            // half of the next panel each.
            bool isLone = tile == rows;
            nint code = isLone ? _loneTiles[tile] : _tiles[tile];
            byte* prefetch = isLone ? panel + PrefetchDistance : next;
            ((delegate* unmanaged<byte*, byte*, float*, long, long, byte*, void>)code)(
                prepared, panel, sums, pairs / Unrolled, pairs % Unrolled, prefetch);
            prepared += 4L * tile * pairs;
            sums += tile * PanelWidth;
            next += 64L * pairs;
        }
    }

    private static int Pairs(int inputs) => (inputs + 1) / 2;

    // As few tiles as there can be, as even as they can be.
    private static TileSequence Tiles(int rows) => new(rows, (rows + MaxTile - 1) / MaxTile);

    private static DotProductKernel? TryCreate()
    {
        if (!CpuFeatures.HasBFloat16Instructions)
        {
            return null;
        }

        List<byte> code = [];
        List<int> starts = [];
        for (int rows = 1; rows <= MaxTile; rows++)
        {
            foreach (int prefetches in new[] { 1, rows == 1 ? 0 : 2 })
            {
                starts.Add(code.Count);
                code.AddRange(Assemble(rows, prefetches));
            }
        }

        byte* placed = MachineCode.TryPlace([.. code]);
        nint Tile(int rows, int kind) => rows == 0 ? 0 : (nint)placed + starts[(2 * (rows - 1)) + kind];
        return placed is null ? null : new DotProductKernel(
            [.. Enumerable.Range(0, MaxTile + 1).Select(rows => Tile(rows, 0))],
            [.. Enumerable.Range(0, MaxTile + 1).Select(rows => Tile(rows, 1))]);
    }

    // void tile(byte* inputs, byte* panel, float* sums, long unrolledSteps, long singleSteps, byte* prefetch)
    private static byte[] Assemble(int rows, int prefetches)
    {
        const int Weights = 2 * MaxTile;
        const int Inputs = Weights + 2;
        KernelAssembler code = new();
        for (int i = 0; i < 2 * rows; i++)
        {
            code.Zero(i);
        }

        Loop(Register.Rcx, Unrolled);
        Loop(Register.R8, 1);
        for (int i = 0; i < 2 * rows; i++)
        {
            code.Store(i, Register.Rdx, 64 * i);
        }

        code.Return();
        return code.ToArray();

        void Loop(Register counter, int steps)
        {
            code.Test(counter);
            int end = code.JumpAheadIfZero();
            int start = code.Position;
            for (int step = 0; step < steps; step++)
            {
                Step(step);
            }

            code.Add(Register.Rdi, 4 * rows * steps);
            code.Add(Register.Rsi, 128 * steps);
            code.Add(Register.R9, 64 * prefetches * steps);
            code.Decrement(counter);
            code.JumpBackIfNotZero(start);
            code.Land(end);
        }

        void Step(int step)
        {
            code.Load(Weights, Register.Rsi, 128 * step);
            code.Load(Weights + 1, Register.Rsi, (128 * step) + 64);
            for (int line = 0; line < prefetches; line++)
            {
                code.Prefetch(Register.R9, 64 * ((prefetches * step) + line));
            }

            for (int row = 0; row < rows; row++)
            {
                int input = Inputs + (row % 2);
                code.Broadcast(input, Register.Rdi, 4 * ((step * rows) + row));
                code.DotBFloat16(2 * row, Weights, input);
                code.DotBFloat16((2 * row) + 1, Weights + 1, input);
            }
        }
    }

    // Sizes that differ by one at most, larger ones first.
    private struct TileSequence(int rows, int count)
    {
        private int _index = -1;

        public readonly int Current => (rows / count) + (_index < rows % count ? 1 : 0);

        public bool MoveNext() => ++_index < count;

        public readonly TileSequence GetEnumerator() => this;
    }
}
