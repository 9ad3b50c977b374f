using System.ComponentModel;

namespace ToolN1.Api.Contracts;

/// <summary>A probe's answer.</summary>
[Description("A probe's answer.")]
internal sealed record HealthBody
{
    [Description("`live` or `ready`.")]
    public required string Status { get; init; }
}
