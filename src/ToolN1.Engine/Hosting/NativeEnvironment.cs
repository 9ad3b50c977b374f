using System.Runtime.InteropServices;

namespace ToolN1.Engine.Hosting;

/// <summary>Settings that native libraries read when they load. Call first thing in a process, before any tensor.</summary>
public static partial class NativeEnvironment
{
    /// <summary>
    /// Lets idle OpenMP threads sleep rather than spin, which on a shared machine made a forward pass ten times faster. What
    /// the environment already says stays. And lets the allocator keep what tensors free, instead of giving it back to the
    /// kernel and asking for it again page by page. Does nothing outside Linux.
    /// </summary>
    public static void Prepare()
    {
        if (OperatingSystem.IsLinux())
        {
            // Environment.SetEnvironmentVariable changes .NET's copy only; libgomp asks libc.
            _ = SetEnvironment("OMP_WAIT_POLICY", "PASSIVE", overwrite: 0);
            KeepFreedMemory();
        }
    }

    /// <summary>
    /// Gives back to the kernel what native code has freed and the allocator keeps for later. For the end of a phase, since what is
    /// needed again comes page by page. Does nothing without glibc.
    /// </summary>
    public static void ReleaseFreedMemory()
    {
        if (OperatingSystem.IsLinux())
        {
            try
            {
                _ = TrimAllocator(0);
            }
            catch (EntryPointNotFoundException)
            {
                // musl has no malloc_trim.
            }
        }
    }

    /// <summary>
    /// Keeps libtorch from compiling fused kernels for a script: it would again for every new shape, and a batch has many. What
    /// the environment already says stays. Call before the first script runs.
    /// </summary>
    internal static void LeaveScriptsAsWritten()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = SetEnvironment("PYTORCH_TENSOREXPR", "0", overwrite: 0);
        }
    }

    private static void KeepFreedMemory()
    {
        // glibc's M_MMAP_THRESHOLD and M_TRIM_THRESHOLD.
        try
        {
            _ = SetAllocatorOption(-3, 1 << 30);
            _ = SetAllocatorOption(-1, int.MaxValue);
        }
        catch (EntryPointNotFoundException)
        {
            // musl has no mallopt.
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetAllocatorOption(int option, int value);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimAllocator(nint padding);
}
