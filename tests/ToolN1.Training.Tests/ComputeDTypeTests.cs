using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Tests;

public sealed class ComputeDTypeTests
{
    [Theory]
    [InlineData(false, false, false, false)] // neither: bf16 would be emulated
    [InlineData(false, true, false, true)] // AMD from Zen 4
    [InlineData(true, true, false, false)] // Intel whose AMX is absent or hidden by a hypervisor
    [InlineData(true, true, true, true)] // Intel with AMX
    public void IsFasterInBFloat16_IsWhereItWasMeasured(bool isIntel, bool hasAvx512BFloat16, bool hasAmxBFloat16, bool faster) =>
        Assert.Equal(faster, ComputeDType.IsFasterInBFloat16(isIntel, hasAvx512BFloat16, hasAmxBFloat16));

    [Theory]
    [InlineData("float32", ScalarType.Float32)]
    [InlineData("bfloat16", ScalarType.BFloat16)]
    public void Select_NamedDType_IsTakenWhateverTheCpu(string name, ScalarType dtype) => Assert.Equal(dtype, ComputeDType.Select(name, CPU));

    [Fact]
    public void Select_Auto_IsBFloat16OnAGpu() => Assert.Equal(ScalarType.BFloat16, ComputeDType.Select("auto", new Device(DeviceType.CUDA, 0)));
}
