namespace ToolN1.Engine.Kernels;

/// <summary>
/// Encodes the few x86-64 instructions of our product kernels. .NET has intrinsics neither for AVX512-BF16, whose dot product
/// does twice the work of a float32 multiply-add, nor for AMX, whose tiles do sixteen times as much.
/// </summary>
/// <remarks>Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, §2.3.5 (VEX) and §2.7 (EVEX).</remarks>
internal sealed class KernelAssembler
{
    private readonly List<byte> _code = [];

    /// <summary>General registers that hold addresses and counters; the first six parameters of a System V call are in <c>rdi, rsi, rdx, rcx, r8, r9</c>.</summary>
    internal enum Register
    {
        Rax = 0,
        Rcx = 1,
        Rdx = 2,
        Rsi = 6,
        Rdi = 7,
        R8 = 8,
        R9 = 9,
    }

    // EVEX's "mm" and "pp" fields.
    private enum Map
    {
        Escape0F = 1,
        Escape0F38 = 2,
    }

    private enum Prefix
    {
        None = 0,
        P66 = 1,
        PF3 = 2,
        PF2 = 3,
    }

    // Opcodes 49 and 4B of map 0F38 mean different things by prefix.
    private const byte TileState = 0x49;
    private const byte TileMove = 0x4B;

    /// <summary>Where the next instruction will lie.</summary>
    public int Position => _code.Count;

    /// <summary>The code so far.</summary>
    public byte[] ToArray() => [.. _code];

    /// <summary>vpxord: zmm = 0.</summary>
    public void Zero(int zmm) => Vector(Map.Escape0F, Prefix.P66, 0xEF, zmm, zmm, zmm);

    /// <summary>vmovups: zmm = 64 bytes at [address + offset].</summary>
    public void Load(int zmm, Register address, int offset) => Vector(Map.Escape0F, Prefix.None, 0x10, zmm, 0, address, offset);

    /// <summary>vmovups: 64 bytes at [address + offset] = zmm.</summary>
    public void Store(int zmm, Register address, int offset) => Vector(Map.Escape0F, Prefix.None, 0x11, zmm, 0, address, offset);

    /// <summary>vpbroadcastd: each lane = 4 bytes at [address + offset].</summary>
    public void Broadcast(int zmm, Register address, int offset) => Vector(Map.Escape0F38, Prefix.P66, 0x58, zmm, 0, address, offset);

    /// <summary>vdpbf16ps: in each 32-bit lane, sum += a.low · b.low + a.high · b.high.</summary>
    public void DotBFloat16(int sum, int a, int b) => Vector(Map.Escape0F38, Prefix.PF3, 0x52, sum, a, b);

    /// <summary>prefetcht0 [address + offset].</summary>
    public void Prefetch(Register address, int offset)
    {
        if ((int)address >= 8)
        {
            _code.Add(0x41);
        }

        _code.AddRange([0x0F, 0x18, (byte)(0x88 | ((int)address & 7))]);
        Int32(offset);
    }

    /// <summary>add register, value.</summary>
    public void Add(Register register, int value)
    {
        _code.AddRange([Rex(register), 0x81, (byte)(0xC0 | ((int)register & 7))]);
        Int32(value);
    }

    /// <summary>mov register, value.</summary>
    public void Set(Register register, int value)
    {
        _code.AddRange([Rex(register), 0xC7, (byte)(0xC0 | ((int)register & 7))]);
        Int32(value);
    }

    /// <summary>lea target, [address + 8 · index].</summary>
    public void AddressOf8(Register target, Register address, Register index) => _code.AddRange(
    [
        (byte)(0x48 | ((int)target >= 8 ? 4 : 0) | ((int)index >= 8 ? 2 : 0) | ((int)address >= 8 ? 1 : 0)), 0x8D,
        (byte)(0x44 | (((int)target & 7) << 3)), (byte)(0xC0 | (((int)index & 7) << 3) | ((int)address & 7)), 0,
    ]);

    /// <summary>dec register.</summary>
    public void Decrement(Register register) => _code.AddRange([Rex(register), 0xFF, (byte)(0xC8 | ((int)register & 7))]);

    /// <summary>test register, register.</summary>
    public void Test(Register register) =>
        _code.AddRange([(byte)((int)register >= 8 ? 0x4D : 0x48), 0x85, (byte)(0xC0 | (((int)register & 7) * 9))]);

    /// <summary>jnz to where the code already is.</summary>
    public void JumpBackIfNotZero(int target)
    {
        _code.AddRange([0x0F, 0x85]);
        Int32(target - (Position + 4));
    }

    /// <summary>jz to where <see cref="Land"/> will be told.</summary>
    /// <returns>For <see cref="Land"/>.</returns>
    public int JumpAheadIfZero()
    {
        _code.AddRange([0x0F, 0x84]);
        Int32(0);
        return Position;
    }

    /// <summary>Lets a jump ahead end here.</summary>
    public void Land(int jump)
    {
        byte[] distance = BitConverter.GetBytes(Position - jump);
        for (int i = 0; i < distance.Length; i++)
        {
            _code[jump - 4 + i] = distance[i];
        }
    }

    /// <summary>vzeroupper; ret.</summary>
    public void Return() => _code.AddRange([0xC5, 0xF8, 0x77, 0xC3]);

    /// <summary>ldtilecfg: shapes of the tiles, 64 bytes at [address].</summary>
    public void LoadTileShapes(Register address)
    {
        Vex(Prefix.None, 0, index: 0, (int)address);
        _code.AddRange([TileState, (byte)((int)address & 7)]);
    }

    /// <summary>tilerelease: the tiles hold nothing any more, and cost nothing when threads take turns.</summary>
    public void ReleaseTiles()
    {
        Vex(Prefix.None, 0, index: 0, register: 0);
        _code.AddRange([TileState, 0xC0]);
    }

    /// <summary>tilezero: tile = 0.</summary>
    public void ZeroTile(int tile)
    {
        Vex(Prefix.PF2, 0, index: 0, register: 0);
        _code.AddRange([TileState, (byte)(0xC0 | (tile << 3))]);
    }

    /// <summary>tileloadd: each row of the tile = bytes at [address + offset + row · stride].</summary>
    public void LoadTile(int tile, Register address, int offset, Register stride) => Tile(Prefix.PF2, tile, address, offset, stride);

    /// <summary>tilestored: bytes at [address + offset + row · stride] = each row of the tile.</summary>
    public void StoreTile(int tile, Register address, int offset, Register stride) => Tile(Prefix.PF3, tile, address, offset, stride);

    /// <summary>tdpbf16ps: sums [rows, 16] in float32 += a [rows, pairs, 2] · b [pairs, 16, 2], the products of first and of second inputs summed apart.</summary>
    public void DotTilesBFloat16(int sums, int a, int b)
    {
        Vex(Prefix.PF3, source: b, index: 0, register: a);
        _code.AddRange([0x5C, (byte)(0xC0 | (sums << 3) | a)]);
    }

    private void Tile(Prefix prefix, int tile, Register address, int offset, Register stride)
    {
        Vex(prefix, source: 0, (int)stride, (int)address);
        _code.AddRange([TileMove, (byte)(0x84 | (tile << 3)), (byte)((((int)stride & 7) << 3) | ((int)address & 7))]);
        Int32(offset);
    }

    // Map 0F38, 128 bits, W0. R, X, B and vvvv are stored inverted; R is never needed, there being eight tiles.
    private void Vex(Prefix prefix, int source, int index, int register) => _code.AddRange(
        [0xC4, (byte)(0x80 | (index >= 8 ? 0 : 0x40) | (register >= 8 ? 0 : 0x20) | (int)Map.Escape0F38), (byte)(((~source & 15) << 3) | (int)prefix)]);

    private static byte Rex(Register register) => (byte)((int)register >= 8 ? 0x49 : 0x48);

    private void Vector(Map map, Prefix prefix, byte opcode, int target, int source, int register)
    {
        Evex(map, prefix, target, source, (register & 8) != 0, (register & 16) != 0);
        _code.AddRange([opcode, (byte)(0xC0 | ((target & 7) << 3) | (register & 7))]);
    }

    private void Vector(Map map, Prefix prefix, byte opcode, int target, int source, Register address, int offset)
    {
        Evex(map, prefix, target, source, (int)address >= 8, false);
        _code.AddRange([opcode, (byte)(0x80 | ((target & 7) << 3) | ((int)address & 7))]);
        Int32(offset);
    }

    // 512 bits, no mask, W0. R, X, B, R', vvvv and V' are stored inverted.
    private void Evex(Map map, Prefix prefix, int target, int source, bool b, bool x)
    {
        int p0 = ((target & 8) == 0 ? 0x80 : 0) | (x ? 0 : 0x40) | (b ? 0 : 0x20) | ((target & 16) == 0 ? 0x10 : 0) | (int)map;
        int p1 = ((~source & 15) << 3) | 4 | (int)prefix;
        int p2 = 0x40 | ((source & 16) == 0 ? 8 : 0);
        _code.AddRange([0x62, (byte)p0, (byte)p1, (byte)p2]);
    }

    private void Int32(int value) => _code.AddRange(BitConverter.GetBytes(value));
}
