namespace ToolN1.Training;

/// <summary>Seeds made of numbers, the same in every process: chance that needs no saved state.</summary>
internal static class Seeds
{
    /// <summary>A seed from two numbers.</summary>
    public static int Combine(int left, int right)
    {
        ulong mixed = ((ulong)(uint)left << 32) | (uint)right;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        return (int)((mixed ^ (mixed >> 31)) & int.MaxValue);
    }
}
