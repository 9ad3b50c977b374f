namespace ToolN1.Training.Evaluation.ApiBank;

/// <summary>A recorded call: what an evaluated one is compared with.</summary>
internal sealed record ApiBankTruth(string ApiName, ApiResult Result);
