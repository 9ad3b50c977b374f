using System.ClientModel;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using OpenAI.Chat;
using OpenAI.Models;
using ToolN1.TestSupport;

namespace ToolN1.EndToEnd.Tests;

public sealed class ServingTests(TinyServer tiny) : IClassFixture<TinyServer>
{
    private static readonly ChatTool Weather = ChatTool.CreateFunctionTool(
        "get_weather", "Weather of a city", BinaryData.FromString("""{"type":"object","properties":{"city":{"type":"string"}}}"""));

    private ServerProcess Server => tiny.Server;

    [Fact]
    public async Task OpenAiClient_ListsTheServedModel()
    {
        ClientResult<OpenAIModelCollection> models = await Server.Client().GetOpenAIModelClient().GetModelsAsync(TestContext.Current.CancellationToken);

        Assert.Equal(TinyServer.Model, Assert.Single(models.Value).Id);
    }

    [Fact]
    public async Task OpenAiClient_StreamedAnswer_EqualsTheWholeOne()
    {
        ChatClient chat = Server.Client().GetChatClient(TinyServer.Model);
        ChatMessage[] messages = [ChatMessage.CreateSystemMessage("Be brief."), ChatMessage.CreateUserMessage("Grüß Gott, what is the weather?")];
        ChatCompletionOptions options = new() { Temperature = 0, MaxOutputTokenCount = 40, Tools = { Weather } };
        ChatCompletion whole = await chat.CompleteChatAsync(messages, options, TestContext.Current.CancellationToken);
        StringBuilder text = new();
        ChatTokenUsage? usage = null;
        ChatFinishReason? finish = null;
        ChatMessageRole? role = null;
        await foreach (StreamingChatCompletionUpdate update in chat.CompleteChatStreamingAsync(messages, options, TestContext.Current.CancellationToken))
        {
            role ??= update.Role;
            finish = update.FinishReason ?? finish;
            usage = update.Usage ?? usage;
            foreach (ChatMessageContentPart part in update.ContentUpdate)
            {
                text.Append(part.Text);
            }
        }

        Assert.Equal(string.Concat(whole.Content.Select(part => part.Text)), text.ToString());
        Assert.Equal((ChatMessageRole.Assistant, whole.FinishReason), (role, finish));
        Assert.Equal((whole.Usage.InputTokenCount, whole.Usage.OutputTokenCount), (usage!.InputTokenCount, usage.OutputTokenCount));
        // The second request found the first one's prompt in the cache.
        Assert.True(usage.InputTokenDetails.CachedTokenCount > 0);
    }

    [Fact]
    public async Task RawTokens_ScoredByEcho_GiveFiniteLogProbsForAllButTheFirst()
    {
        using StringContent body = new($$"""{"model":"{{TinyServer.Model}}","prompt":[[40,41,42,43],[50,51]],"max_tokens":0,"echo":true,"logprobs":1}""", Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await Server.Http.PostAsync("/v1/completions", body, TestContext.Current.CancellationToken);
        JsonNode answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;

        Assert.Equal([4, 2], answer["choices"]!.AsArray().Select(choice => choice!["logprobs"]!["token_logprobs"]!.AsArray().Count));
        foreach (JsonNode? choice in answer["choices"]!.AsArray())
        {
            JsonArray logProbs = choice!["logprobs"]!["token_logprobs"]!.AsArray();
            Assert.Null(logProbs[0]);
            Assert.All(logProbs.Skip(1), value => Assert.InRange(value!.GetValue<float>(), -50f, 0f));
        }
    }

    [Fact]
    public async Task Client_GoesAway_FreesItsSequenceAndItsBlocks()
    {
        using (HttpResponseMessage response = await OpenStreamAsync(20_000))
        {
            await using Stream body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
            await body.ReadExactlyAsync(new byte[2000], TestContext.Current.CancellationToken);
            Assert.Equal(1, await Server.MetricAsync("tooln1_sequences_running"));
        }

        while (await Server.MetricAsync("tooln1_sequences_running") > 0 || await Server.MetricAsync("tooln1_kv_blocks_used") > 0)
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        Assert.True(await Server.MetricAsync("tooln1_tokens_generated_total") < 20_000);
    }

    [Fact]
    public async Task SlowReader_OfAStream_StallsNobodyAndLosesNothing()
    {
        // More than the buffers of a connection hold, and not read yet.
        using HttpResponseMessage slow = await OpenStreamAsync(3000);
        ChatCompletion other = await Server.Client().GetChatClient(TinyServer.Model)
            .CompleteChatAsync([ChatMessage.CreateUserMessage("Hi")], new ChatCompletionOptions { MaxOutputTokenCount = 8, Temperature = 0 }, TestContext.Current.CancellationToken);
        Assert.True(other.Usage.OutputTokenCount > 0);
        while (await Server.MetricAsync("tooln1_sequences_running") > 0)
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        string all = await slow.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.EndsWith("data: [DONE]\n\n", all, StringComparison.Ordinal);
        Assert.Contains("\"completion_tokens\":3000,", all, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Terminated_DrainsTheAnswerInFlight()
    {
        await using ServerProcess own = await ServerProcess.StartAsync(tiny.ModelFolder);
        using HttpResponseMessage response = await OpenStreamAsync(400, own);
        await own.TerminateAsync();
        string all = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.EndsWith("data: [DONE]\n\n", all, StringComparison.Ordinal);
        Assert.Contains("\"completion_tokens\":400,", all, StringComparison.Ordinal);
        Assert.Equal(0, await own.ExitAsync());
    }

    [Fact]
    public async Task Keys_Configured_AreAskedOfTheOfficialClient()
    {
        await using ServerProcess own = await ServerProcess.StartAsync(tiny.ModelFolder, [("ToolN1__Auth__ApiKeys__0", "right")]);
        ClientResult<OpenAIModelCollection> models = await own.Client("right").GetOpenAIModelClient().GetModelsAsync(TestContext.Current.CancellationToken);
        ClientResultException refusal = await Assert.ThrowsAsync<ClientResultException>(
            () => own.Client("wrong").GetOpenAIModelClient().GetModelsAsync(TestContext.Current.CancellationToken));

        Assert.Single(models.Value);
        Assert.Equal((int)HttpStatusCode.Unauthorized, refusal.Status);
        Assert.DoesNotContain("right", own.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_OnAllAddressesWithoutKeys_IsRefusedWithTheOptionsName()
    {
        (int exitCode, string output) = await ServerProcess.RunToEndAsync(tiny.ModelFolder, "http://0.0.0.0:0");

        Assert.Equal(1, exitCode);
        Assert.Contains("ToolN1:Auth:ApiKeys", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Now listening", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_WithoutAModel_NamesTheFolder() =>
        await AssertRefusedAsync(Path.Combine(tiny.ModelFolder, "missing"), Path.Combine(tiny.ModelFolder, "missing"));

    [Fact]
    public async Task Start_OverTruncatedWeights_NamesFileAndTensorBeforeThePortOpens()
    {
        using BrokenModel broken = new();
        string weights = broken.File("model.safetensors");
        byte[] bytes = await File.ReadAllBytesAsync(weights, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(weights, bytes[..^100], TestContext.Current.CancellationToken);

        await AssertRefusedAsync(broken.Folder, $"{weights}: tensor 'model.norm.weight'", "truncated");
    }

    [Fact]
    public async Task Start_OverQuantisedWeights_NamesFileAndFieldBeforeThePortOpens()
    {
        using BrokenModel broken = new();
        string file = broken.File("config.json");
        JsonNode config = JsonNode.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken))!;
        config["quantization_config"] = new JsonObject { ["quant_method"] = "gptq", ["bits"] = 4 };
        await File.WriteAllTextAsync(file, config.ToJsonString(), TestContext.Current.CancellationToken);

        await AssertRefusedAsync(broken.Folder, file, "quantization_config");
    }

    private static async Task AssertRefusedAsync(string model, params string[] named)
    {
        (int exitCode, string output, bool wasOpen) = await ServerProcess.WatchPortToEndAsync(model);

        Assert.Equal(1, exitCode);
        string refusal = Assert.Single(output.Split('\n'), line => line.StartsWith("Cannot start: ", StringComparison.Ordinal));
        Assert.All(named, part => Assert.Contains(part, refusal, StringComparison.Ordinal));
        Assert.DoesNotContain("Now listening", output, StringComparison.Ordinal);
        Assert.False(wasOpen);
    }

    /// <summary>A tiny checkpoint of its own to damage; removed at the end.</summary>
    private sealed class BrokenModel : IDisposable
    {
        public string Folder { get; } = TinyCheckpoint.Write(Directory.CreateTempSubdirectory("tooln1-broken-").FullName);

        public string File(string name) => Path.Combine(Folder, name);

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }

    private async Task<HttpResponseMessage> OpenStreamAsync(int tokens, ServerProcess? server = null)
    {
        HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(
                $$$"""
                {"model":"{{{TinyServer.Model}}}","messages":[{"role":"user","content":"Go on and on."}],"stream":true,"stream_options":{"include_usage":true},
                 "max_tokens":{{{tokens}}},"ignore_eos":true,"min_tokens":{{{tokens}}},"seed":1,"logprobs":true,"top_logprobs":5}
                """,
                Encoding.UTF8,
                "application/json"),
        };
        return await (server ?? Server).Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }
}
