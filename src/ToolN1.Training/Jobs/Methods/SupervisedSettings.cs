using System.Text.Json.Serialization;
using ToolN1.Training.Planning;

namespace ToolN1.Training.Jobs.Methods;

/// <summary>Settings of a supervised job, resolved. The names are the API's.</summary>
/// <param name="NEpochs">Passes over the rows, rounded up to whole steps.</param>
/// <param name="BatchSize">Rows of a step.</param>
/// <param name="LearningRateMultiplier">Factor on the learning rate that fits the model's width.</param>
/// <param name="CheckpointEverySteps">Steps between checkpoints.</param>
/// <param name="LiveShare">Share of the device that requests get while training wants it too.</param>
/// <param name="Steps">Optimizer steps, which follow from the others.</param>
/// <param name="LearningRate">AdamW's, which follows from the multiplier.</param>
/// <param name="Rows">What its plan knows of its rows; null in jobs of before there was one.</param>
internal sealed record SupervisedSettings(
    int NEpochs, int BatchSize, double LearningRateMultiplier, int CheckpointEverySteps, double LiveShare, int Steps, double LearningRate, RowLengths? Rows = null);

/// <summary>JSON of the settings.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SupervisedSettings))]
internal sealed partial class MethodJson : JsonSerializerContext;
