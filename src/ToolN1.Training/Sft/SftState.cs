using System.Text.Json.Serialization;
using ToolN1.Training.Checkpoints;

namespace ToolN1.Training.Sft;

/// <summary>Everything beside tensors that the next step depends on. Chance needs no state: it is drawn from seed and step.</summary>
internal sealed record SftState : IRunState
{
    /// <summary>Steps done, skipped ones included; the learning rate is a function of it.</summary>
    public int Step { get; set; }

    /// <summary>Pass over the data of the current phase.</summary>
    public int Epoch { get; set; }

    /// <summary>Groups taken of that pass.</summary>
    public int Position { get; set; }

    /// <summary>Updates of each optimizer.</summary>
    public long[] OptimizerUpdates { get; set; } = [];

    /// <summary>Tokens trained on.</summary>
    public long Tokens { get; set; }

    /// <summary>Steps skipped.</summary>
    public int SkippedSteps { get; set; }

    /// <summary>Of these, the last in a row.</summary>
    public int SkippedInARow { get; set; }

    /// <summary>Seconds of training.</summary>
    public double Seconds { get; set; }

    /// <summary>Identity of the configuration and of its data, so that a run is not resumed under another.</summary>
    public string Config { get; set; } = "";

    /// <summary>Version of the weights that the run began with.</summary>
    public string StartVersion { get; set; } = "";
}

/// <summary>JSON of the state and of lines of metrics.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(SftState))]
[JsonSerializable(typeof(SftStepResult))]
internal sealed partial class SftStateJson : JsonSerializerContext;
