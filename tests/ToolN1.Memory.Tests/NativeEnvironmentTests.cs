using System.Runtime.InteropServices;
using ToolN1.Engine.Hosting;
using static TorchSharp.torch;

namespace ToolN1.Memory.Tests;

public sealed class NativeEnvironmentTests
{
    private const long Bytes = 128 << 20;

    [Fact]
    public void ReleaseFreedMemory_TensorsWereFreed_TheirMemoryGoesBack()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out _), "Only glibc's allocator is told.");

        // What lives behind the freed ones keeps the heap's end where it is.
        Tensor[] freed = [.. Enumerable.Range(0, 128).Select(_ => ones(Bytes / 128 / sizeof(float)))];
        using Tensor behind = ones(1 << 20);
        foreach (Tensor tensor in freed)
        {
            tensor.Dispose();
        }

        long before = ResidentBytes();
        NativeEnvironment.ReleaseFreedMemory();
        Assert.True(before - ResidentBytes() > Bytes / 2);
    }

    private static long ResidentBytes() => long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1]) * Environment.SystemPageSize;
}
