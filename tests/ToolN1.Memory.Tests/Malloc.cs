using System.Runtime.InteropServices;

namespace ToolN1.Memory.Tests;

/// <summary>What glibc's allocator says of this process.</summary>
internal static partial class Malloc
{
    /// <summary>As <see cref="AllocatedBytes"/>, without what only handles keep that nobody holds any more: every look at a gradient makes one.</summary>
    public static long CollectedBytes()
    {
        // Twice: a finalizer may let go of what another one frees.
        for (int round = 0; round < 2; round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return AllocatedBytes();
    }

    /// <summary>What malloc has given out, in arenas and as mappings.</summary>
    public static long AllocatedBytes()
    {
        MallInfo info = ReadMallInfo();
        return (long)(info.UsedBytes + info.MappedBytes);
    }

    [LibraryImport("libc", EntryPoint = "mallinfo2")]
    private static partial MallInfo ReadMallInfo();

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct MallInfo
    {
        private readonly nuint _arena;
        private readonly nuint _freeChunks;
        private readonly nuint _fastBins;
        private readonly nuint _mappings;
        public readonly nuint MappedBytes;
        private readonly nuint _unused;
        private readonly nuint _fastBytes;
        public readonly nuint UsedBytes;
        private readonly nuint _freeBytes;
        private readonly nuint _top;
    }
}
