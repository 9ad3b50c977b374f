using System.Text.Json;
using ToolN1.Engine.Tokenization;

namespace ToolN1.Engine.Chat;

/// <summary>Makes chat formats by name, or chooses one for a checkpoint.</summary>
public static class ChatFormats
{
    /// <summary>The names that options and commands accept.</summary>
    public static IReadOnlyList<string> Names { get; } = ["auto", "tool-n1", "hermes"];

    /// <summary>Makes a format with the turn markup that the tokenizer has tokens for.</summary>
    /// <param name="name">
    /// <c>tool-n1</c>, <c>hermes</c> or <c>auto</c>. Auto takes, in this order: <c>"tooln1": {"chat_format": NAME}</c> in
    /// config.json (our trainer writes it); <c>tool-n1</c> where the folder's name or config.json's <c>_name_or_path</c>
    /// contains "tool-n1"; <c>tool-n1</c> for Llama 3 turn markup, whose own tool style is not implemented; else <c>hermes</c>.
    /// </param>
    /// <param name="modelFolder">A checkpoint's folder.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <exception cref="ArgumentException">An unknown name.</exception>
    /// <exception cref="InvalidDataException">config.json is malformed or names an unknown format.</exception>
    /// <exception cref="NotSupportedException">The tokenizer lacks the tokens of every known turn markup.</exception>
    public static IChatFormat Create(string name, string modelFolder, Tokenizer tokenizer)
    {
        TurnMarkup markup = TurnMarkup.Choose(tokenizer);
        return (name == "auto" ? Detect(modelFolder, markup) : name) switch
        {
            "tool-n1" => new ToolN1Format(markup),
            "hermes" => new HermesFormat(markup),
            _ => throw new ArgumentException($"'{name}' is not a chat format; known are {string.Join(", ", Names)}.", nameof(name)),
        };
    }

    private static string Detect(string modelFolder, TurnMarkup markup)
    {
        string path = Path.Combine(modelFolder, "config.json");
        string origin = Path.GetFileName(Path.GetFullPath(modelFolder).TrimEnd(Path.DirectorySeparatorChar));
        if (File.Exists(path))
        {
            try
            {
                using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(path));
                if (config.RootElement.TryGetProperty("tooln1", out JsonElement ours) && ours.TryGetProperty("chat_format", out JsonElement format))
                {
                    string? named = format.GetString();
                    return named is "tool-n1" or "hermes" ? named : throw new InvalidDataException($"{path}: tooln1.chat_format is '{named}'; known are tool-n1 and hermes.");
                }

                origin += config.RootElement.TryGetProperty("_name_or_path", out JsonElement source) ? "\n" + source.GetString() : "";
            }
            catch (Exception exception) when (exception is JsonException or InvalidOperationException)
            {
                throw new InvalidDataException($"{path} cannot be read: {exception.Message}", exception);
            }
        }

        return origin.Contains("tool-n1", StringComparison.OrdinalIgnoreCase) || markup == TurnMarkup.Llama3 ? "tool-n1" : "hermes";
    }
}
