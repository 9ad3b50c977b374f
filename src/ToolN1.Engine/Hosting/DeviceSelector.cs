using System.Globalization;
using Microsoft.Extensions.Options;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Engine.Hosting;

/// <summary>Finds the device that an option names.</summary>
public static class DeviceSelector
{
    /// <summary>Resolves a device.</summary>
    /// <param name="device"><c>auto</c>, <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</param>
    /// <param name="option">Where it was named, for the error's text.</param>
    /// <exception cref="OptionsValidationException">A GPU that this machine or this build does not have.</exception>
    public static Device Select(string device, string option = ModelOptions.SectionName + ":Device")
    {
        if (device == "cpu" || (device == "auto" && !cuda.is_available()))
        {
            return CPU;
        }

        int index = device.StartsWith("cuda:", StringComparison.Ordinal) ? int.Parse(device.AsSpan(5), CultureInfo.InvariantCulture) : 0;
        string? problem = !cuda.is_available()
            ? "there is no usable GPU, or this build is for CPUs (docs/cuda.md)"
            : index >= cuda.device_count() ? $"there are {cuda.device_count()} GPUs, counted from 0" : null;
        return problem is null
            ? new Device(DeviceType.CUDA, index)
            : throw new OptionsValidationException(
                ModelOptions.SectionName, typeof(ModelOptions), [$"{option} is '{device}', but {problem}."]);
    }
}
