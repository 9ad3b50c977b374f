using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using ToolN1.Training.Checkpoints;

namespace ToolN1.Training.Grpo;

/// <summary>Everything beside tensors that the next step depends on. Chance needs no state: it is drawn from seed and step.</summary>
internal sealed record GrpoState : IRunState
{
    /// <summary>Steps done; the learning rate is a function of it.</summary>
    public int Step { get; set; }

    /// <summary>Pass over the data.</summary>
    public int Epoch { get; set; }

    /// <summary>Rows taken of that pass.</summary>
    public int Position { get; set; }

    /// <inheritdoc/>
    public long[] OptimizerUpdates { get; set; } = [];

    /// <summary>Tokens passed through the model for gradients.</summary>
    public long TrainedTokens { get; set; }

    /// <summary>Tokens sampled.</summary>
    public long GeneratedTokens { get; set; }

    /// <summary>Updates skipped because loss or gradient was not finite.</summary>
    public int SkippedUpdates { get; set; }

    /// <summary>Of these, the last in a row.</summary>
    public int SkippedInARow { get; set; }

    /// <summary>Seconds of steps.</summary>
    public double Seconds { get; set; }

    /// <summary>Step of the last evaluation; null before the first.</summary>
    public int? EvaluatedStep { get; set; }

    /// <summary>Step of the best evaluation; null before the first.</summary>
    public int? BestStep { get; set; }

    /// <summary>Its exact match.</summary>
    public double BestScore { get; set; }

    /// <summary>Whether an alarm has ended the run; a resumed one does not train on.</summary>
    public bool EndedByAlarm { get; set; }

    /// <summary>Values changed during the run.</summary>
    public GrpoEdit Edit { get; set; } = new();

    /// <summary>Identity of the configuration and of its data, so that a run is not resumed under another.</summary>
    public string Config { get; set; } = "";

    /// <summary>Version of the weights that the run began with: they are the reference, and what an adapter stands on.</summary>
    public string StartVersion { get; set; } = "";
}

/// <summary>Values of a run that may change at a step boundary; null leaves what is.</summary>
public sealed record GrpoEdit
{
    /// <summary>At the top of the schedule.</summary>
    public double? LearningRate { get; init; }

    /// <summary>β. A run that began with 0 and trains all weights holds no reference and refuses another value.</summary>
    public double? KlCoefficient { get; init; }

    /// <summary>Most tokens of a response; at most what the run began with, since prompts were chosen to leave room for that.</summary>
    public int? MaxResponseTokens { get; init; }

    /// <summary>See <see cref="GrpoAlarms.KlCeiling"/>; a run without a reference policy refuses it.</summary>
    public double? KlCeiling { get; init; }

    /// <summary>Checks the values against the run that is to take them.</summary>
    /// <exception cref="GrpoEditException">A value is out of range, or the run cannot take it.</exception>
    public void Check(GrpoConfig config)
    {
        static void Require(bool holds, string field, string what)
        {
            if (!holds)
            {
                throw new GrpoEditException(field, what);
            }
        }

        Require(LearningRate is null || (double.IsFinite(LearningRate.Value) && LearningRate > 0), "learning_rate", "positive");
        Require(KlCoefficient is null || (double.IsFinite(KlCoefficient.Value) && KlCoefficient >= 0), "kl_coefficient", "0 or greater");
        Require(KlCoefficient is null or 0 || config.HasReference, "kl_coefficient", "0: the run began without a reference policy");
        Require(MaxResponseTokens is null || (MaxResponseTokens > 0 && MaxResponseTokens <= config.MaxResponseTokens), "max_response_tokens", $"between 1 and {config.MaxResponseTokens}");
        Require(KlCeiling is null || (double.IsFinite(KlCeiling.Value) && KlCeiling > 0), "kl_ceiling", "positive");
        Require(KlCeiling is null || config.HasReference, "kl_ceiling", "left as it is: the run began without a reference policy");
    }

    /// <summary>This edit's values over those of an earlier one.</summary>
    public GrpoEdit Over(GrpoEdit earlier) => new()
    {
        LearningRate = LearningRate ?? earlier.LearningRate,
        KlCoefficient = KlCoefficient ?? earlier.KlCoefficient,
        MaxResponseTokens = MaxResponseTokens ?? earlier.MaxResponseTokens,
        KlCeiling = KlCeiling ?? earlier.KlCeiling,
    };
}

/// <summary>JSON of the state, of lines of metrics and of samples.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(GrpoState))]
[JsonSerializable(typeof(GrpoStepResult))]
[JsonSerializable(typeof(GrpoEvaluation))]
[JsonSerializable(typeof(GrpoSample))]
internal sealed partial class GrpoJson : JsonSerializerContext
{
    /// <summary>For files that people read: only what JSON must have escaped is.</summary>
    public static GrpoJson Lines { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
