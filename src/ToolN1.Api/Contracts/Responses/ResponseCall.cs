using System.Text.Json;
using ToolN1.Engine.Chat;

namespace ToolN1.Api.Contracts.Responses;

/// <summary>A response request as bound from HTTP.</summary>
/// <param name="Request">What to generate.</param>
/// <param name="Stream">As server-sent events.</param>
/// <param name="LenientTools">Names of tools that said nothing of <c>strict</c>: kept to their schema where that can be enforced.</param>
/// <param name="WithSummary">Whether the reasoning comes as a summary too.</param>
/// <param name="Echo">The fields that the answer repeats; valid for as long as the answer lives.</param>
internal sealed record ResponseCall(ChatRequest Request, bool Stream, IReadOnlySet<string> LenientTools, bool WithSummary, JsonElement Echo);
