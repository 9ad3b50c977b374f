using System.Text.Json;
using ToolN1.Api;
using ToolN1.Api.Contracts;
using ToolN1.Api.Errors;
using ToolN1.Api.Shapes;
using ToolN1.Engine;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Tokenization;
using ToolN1.TestSupport;

namespace ToolN1.Fuzz.Targets;

/// <summary>Bodies of every JSON route: parsed, checked, bound and rendered as the server does. A 4xx is the only refusal.</summary>
internal sealed class RequestTarget : IFuzzTarget
{
    private readonly Lazy<(Tokenizer Tokenizer, ModelInfo Model, IChatFormat Format)> _served = new(() =>
    {
        Tokenizer tokenizer = Tokenizer.Load(TinyCheckpoint.WriteTokenizer(Directory.CreateTempSubdirectory("tooln1-fuzz-").FullName));
        return (tokenizer, new ModelInfo("m", 100_000, tokenizer.VocabularySize, [0, 1], "0"), ChatFormats.Create("tool-n1", ".", tokenizer));
    });

    public string Name => "request";

    public IReadOnlyList<string> Dictionary { get; } =
    [
        .. ChatCompletionShape.Shape.Fields.Concat(CompletionShape.Shape.Fields).Select(field => $",\"{field.Name}\":"),
        "\"role\":\"user\"", "\"role\":\"assistant\"", "\"role\":\"tool\"", "\"content\":", "\"tool_calls\":[", "\"tool_call_id\":\"a\"", "\"type\":\"text\"", "\"type\":\"function\"", "\"function\":{",
        "\"arguments\":\"{}\"", "\"parameters\":{", "\"model\":\"m\"", "\"auto\"", "\"required\"", "\"none\"", "<|im_end|>",
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        byte[] body = input.ToArray();
        Refusable(() => Chat(body));
        Refusable(() => Completion(body));
        Refusable(() => Tokenize(body));
        Refusable(() => Read(body, TokenizeShapes.Detokenize).Dispose());
    }

    private void Chat(byte[] body)
    {
        (Tokenizer tokenizer, ModelInfo model, IChatFormat format) = _served.Value;
        using JsonDocument document = Read(body, ChatCompletionShape.Shape);
        ChatRequest request = ChatBinder.Bind(document.RootElement, model, new ChatServingOptions(), new ServerOptions().MaxLogProbs, tenant: null).Request;
        format.Render(request.Messages, request.Tools, addGenerationPrompt: true).Encode(tokenizer);
        request.Sampling.Validate();
    }

    private void Completion(byte[] body)
    {
        (Tokenizer tokenizer, ModelInfo model, _) = _served.Value;
        using JsonDocument document = Read(body, CompletionShape.Shape);
        CompletionBinder.Bind(document.RootElement, model, tokenizer, new ServerOptions().MaxLogProbs, tenant: null).Sampling.Validate();
    }

    private void Tokenize(byte[] body)
    {
        (Tokenizer tokenizer, _, IChatFormat format) = _served.Value;
        using JsonDocument document = Read(body, TokenizeShapes.Tokenize);
        if (document.RootElement.Has("messages", out _))
        {
            format.Render(MessageBinder.Bind(document.RootElement, keepReasoning: false, mayEndInCalls: true), ToolBinder.Tools(document.RootElement), addGenerationPrompt: true).Encode(tokenizer);
        }
    }

    private static JsonDocument Read(byte[] body, ObjectShape shape)
    {
        JsonDocument document = RequestBody.Parse(body);
        JsonText.Check(document.RootElement, FieldPath.Root);
        shape.Check(document.RootElement, FieldPath.Root);
        return document;
    }

    private static void Refusable(Action act)
    {
        try
        {
            act();
        }
        catch (ApiException refusal) when (refusal.Status is >= 400 and < 500)
        {
            // The envelope must be writable whatever the message quotes.
            using JsonDocument envelope = JsonDocument.Parse(ErrorWriter.Serialize(refusal));
        }
    }
}
