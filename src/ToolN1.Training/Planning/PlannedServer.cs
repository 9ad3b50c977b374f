using ToolN1.Engine.Hosting;

namespace ToolN1.Training.Planning;

/// <summary>The server that a job runs in.</summary>
/// <param name="Engine">Limits of its engine.</param>
/// <param name="StartsFromFirst">Whether the job starts from the model that the server was started with, whose memory an adapter's training may share.</param>
/// <param name="IsFirstLive">Whether that model is live; where another one was promoted, both are in memory.</param>
/// <param name="DType">Dtype that it serves in: <c>auto</c>, <c>float32</c> or <c>bfloat16</c>.</param>
public sealed record PlannedServer(EngineOptions Engine, bool StartsFromFirst = true, bool IsFirstLive = true, string DType = "auto");
