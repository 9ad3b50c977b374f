using ToolN1.Engine.Hosting;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Engine.Tests.Hosting;

public sealed class DeviceMemoryTests
{
    [Fact]
    public void TotalBytes_OfACpu_IsWhatTheProcessMayHave() =>
        Assert.InRange(DeviceMemory.TotalBytes(CPU)!.Value, 1L << 28, 1L << 50);

    [Fact]
    public void TotalBytes_OfAGpuThatIsNotHere_IsNotKnown() =>
        Assert.Null(DeviceMemory.TotalBytes(new Device(DeviceType.CUDA, 99)));

    [Fact]
    [Trait("Device", "gpu")]
    public void TotalBytes_OfAGpu_IsMoreThanLibtorchCanTakeOfIt()
    {
        Assert.SkipUnless(cuda.is_available(), "There is no GPU here.");
        long total = DeviceMemory.TotalBytes(new Device(DeviceType.CUDA, 0))!.Value;
        Assert.InRange(total, 1L << 30, 1L << 42);
        using (Tensor half = empty([total / 2], ScalarType.Byte, CUDA))
        {
            Assert.Equal(total / 2, half.numel());
        }

        Assert.ThrowsAny<Exception>(() => empty([total], ScalarType.Byte, CUDA));
    }
}
