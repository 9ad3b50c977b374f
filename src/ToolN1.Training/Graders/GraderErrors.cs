namespace ToolN1.Training.Graders;

/// <summary>What went wrong in a run; a grader with an error gives reward 0.</summary>
[Flags]
public enum GraderErrors
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The formula has no finite value.</summary>
    Formula = 1,

    /// <summary>A template names what neither the item nor the sample has.</summary>
    InvalidVariable = 2,

    /// <summary>A template wants the output as JSON, and it is none.</summary>
    SampleParse = 4,

    /// <summary>The reference is not what the grader needs, or a text is too long to compare.</summary>
    Other = 8,
}
