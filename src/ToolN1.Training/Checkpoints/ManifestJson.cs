using System.Text.Json.Serialization;

namespace ToolN1.Training.Checkpoints;

/// <summary>JSON of a checkpoint's manifest.</summary>
[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(SortedDictionary<string, string>))]
internal sealed partial class ManifestJson : JsonSerializerContext;
