using System.ComponentModel;

namespace ToolN1.Api.Contracts.FineTuning;

/// <summary>A file.</summary>
[Description("An uploaded file.")]
internal sealed record FileBody
{
    [Description("The id to send as `training_file` or `validation_file`.")]
    public required string Id { get; init; }

    [Description("Always `file`.")]
    public string Object { get; init; } = "file";

    [Description("Its size.")]
    public required long Bytes { get; init; }

    [Description("When it was uploaded, in seconds since 1970.")]
    public required long CreatedAt { get; init; }

    [Description("The name that it was uploaded under.")]
    public required string Filename { get; init; }

    [Description("Always `fine-tune`.")]
    public string Purpose { get; init; } = "fine-tune";

    [Description("Always `processed`: a file is checked before it is kept.")]
    public string Status { get; init; } = "processed";

    [Description("Training rows in it. (ToolN1's extension.)")]
    public required int Rows { get; init; }

    [Description("SHA-256 of its bytes. (ToolN1's extension.)")]
    public required string Sha256 { get; init; }
}

/// <summary>Files.</summary>
[Description("A page of files.")]
internal sealed record FileList
{
    [Description("Always `list`.")]
    public string Object { get; init; } = "list";

    [Description("The files.")]
    public required IReadOnlyList<FileBody> Data { get; init; }

    [Description("Id of the first file of the page, or null.")]
    public required string? FirstId { get; init; }

    [Description("Id of the last file of the page, for `after`, or null.")]
    public required string? LastId { get; init; }

    [Description("Whether others follow.")]
    public required bool HasMore { get; init; }
}

/// <summary>A deletion.</summary>
[Description("What was deleted.")]
internal sealed record DeletedBody
{
    [Description("Its id.")]
    public required string Id { get; init; }

    [Description("What it was.")]
    public required string Object { get; init; }

    [Description("Always true.")]
    public bool Deleted { get; init; } = true;
}
