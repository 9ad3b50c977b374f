namespace ToolN1.Engine.Model;

/// <summary>Llama 3.1's change of the rotary frequencies for contexts longer than the original training length.</summary>
/// <param name="Factor">Low frequencies are divided by it.</param>
/// <param name="LowFrequencyFactor">Wavelengths above original length / this are fully scaled.</param>
/// <param name="HighFrequencyFactor">Wavelengths below original length / this are left alone; greater than <paramref name="LowFrequencyFactor"/>.</param>
/// <param name="OriginalMaxPositionEmbeddings">Context length of the original training.</param>
public sealed record RopeScaling(
    double Factor,
    double LowFrequencyFactor,
    double HighFrequencyFactor,
    int OriginalMaxPositionEmbeddings);
