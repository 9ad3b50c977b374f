namespace ToolN1.Training.Jobs.Models;

/// <summary>A model as the administrator sees it.</summary>
/// <param name="Name">Its name in requests.</param>
/// <param name="IsLive">Whether it answers requests that name the base model.</param>
/// <param name="IsLoaded">Whether it is in memory.</param>
/// <param name="JobId">The job that made it; null for the one that the server was started with.</param>
/// <param name="Step">Steps that it had done; null likewise.</param>
/// <param name="DataHash">SHA-256 of what it was trained on; null likewise.</param>
/// <param name="WeightVersion">Identity of its weights.</param>
/// <param name="CreatedAt">When it was made, in seconds since 1970.</param>
/// <param name="Scores">Its held-out scores.</param>
public sealed record ModelSummary(
    string Name, bool IsLive, bool IsLoaded, string? JobId, int? Step, string? DataHash, string WeightVersion, long CreatedAt, IReadOnlyList<HeldOutScore> Scores);

/// <summary>What a change of the live model came to.</summary>
/// <param name="Before">Live before.</param>
/// <param name="Live">Live now.</param>
/// <param name="HeldOutRows">Rows that the gate looked at; null where there were none, or for a rollback.</param>
/// <param name="CorrectBefore">Exact matches of the one before.</param>
/// <param name="CorrectNow">Exact matches of the new one.</param>
/// <param name="PValue">McNemar's exact test between the two.</param>
/// <param name="IsForced">Whether the gate stood against it.</param>
public sealed record LiveChange(string Before, string Live, int? HeldOutRows, int? CorrectBefore, int? CorrectNow, double? PValue, bool IsForced);
