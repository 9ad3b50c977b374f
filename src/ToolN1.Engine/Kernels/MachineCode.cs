using System.Runtime.InteropServices;

namespace ToolN1.Engine.Kernels;

/// <summary>Puts instructions into memory that may be executed and no longer be written. Linux only.</summary>
internal static unsafe partial class MachineCode
{
    private const int Read = 1;
    private const int Write = 2;
    private const int Execute = 4;
    private const int PrivateAnonymous = 0x22;

    /// <summary>Places instructions for as long as the process lives.</summary>
    /// <param name="instructions">Code that does not depend on its own address.</param>
    /// <returns>Where the first one lies; null where the system grants no such memory.</returns>
    public static byte* TryPlace(ReadOnlySpan<byte> instructions)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        nuint length = (nuint)instructions.Length;
        nint address = Map(0, length, Read | Write, PrivateAnonymous, -1, 0);
        if (address == -1)
        {
            return null;
        }

        instructions.CopyTo(new Span<byte>((void*)address, instructions.Length));
        if (Protect(address, length, Read | Execute) != 0)
        {
            _ = Unmap(address, length);
            return null;
        }

        return (byte*)address;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);
}
