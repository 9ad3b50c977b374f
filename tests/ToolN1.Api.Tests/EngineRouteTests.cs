using System.Text.Json.Nodes;
using ToolN1.Api.Tests.FineTuning;
using ToolN1.Api.Tests.Support;

namespace ToolN1.Api.Tests;

public sealed class EngineRouteTests
{
    [Fact]
    public async Task Engine_Idle_TellsModelLimitsAndCounters()
    {
        using TrainingServer server = new(settings: [("ToolN1:Engine:BlockSize", "32"), ("ToolN1:Engine:EnablePrefixCache", "false")]);
        JsonNode engine = await server.GetAsync("/admin/engine");

        // The constraints' caches hold what the start left in them, which is not this test's.
        JsonObject cache = engine["cache"]!.AsObject();
        Assert.True(cache["schema_bytes"]!.GetValue<long>() >= 0 && cache["mask_bytes"]!.GetValue<long>() >= 0);
        cache.Remove("schema_bytes");
        cache.Remove("mask_bytes");
        Assert.Equal(
            Json.Object($$"""
            {
              "object": "engine",
              "healthy": true,
              "model": {
                "id": "org/test-model", "live": "org/test-model@base", "live_weight_version": "0123456789abcdef", "loaded": ["org/test-model@base"],
                "weight_versions": ["0123456789abcdef"], "device": "cpu", "dtype": "float32", "chat_format": "tool-n1", "max_model_len": 8192,
                "vocab_size": {{ApiServer.Tokenizer.VocabularySize}}
              },
              "sequences": { "running": 0, "waiting": 0, "max_running": 10, "max_waiting": 12, "max_batched_tokens": 11 },
              "cache": { "blocks": 100, "used_blocks": 0, "block_size": 32, "prefix_cache": false },
              "counters": {
                "steps": 1, "steps_full": 6, "turns": 7, "turn_milliseconds": 8, "tokens_prompt": 2, "tokens_prompt_cached": 3, "tokens_generated": 4,
                "tokens_forced": 9, "preemptions": 5, "requests_finished": 0
              }
            }
            """).ToJsonString(),
            engine.ToJsonString());
    }

    [Fact]
    public async Task Engine_WhileARequestRuns_CountsItsSequenceAndBlocks()
    {
        TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using TrainingServer server = new(engine => engine.BeforeToken = (request, token, _) =>
        {
            if (request.RequestId != "readiness" && token == 1)
            {
                reached.TrySetResult();
                return go.Task;
            }

            return Task.CompletedTask;
        });
        Task<HttpResponseMessage> chat = server.PostAsync(Json.ChatRoute, Json.Chat().ToJsonString());
        await reached.Task.WaitAsync(TestContext.Current.CancellationToken);
        JsonNode busy = await server.GetAsync("/admin/engine");
        go.SetResult();
        using HttpResponseMessage answer = await chat;
        server.Engine.Healthy = false;
        JsonNode after = await server.GetAsync("/admin/engine");

        Assert.Equal((1, 1, 0), (busy["sequences"]!["running"]!.GetValue<int>(), busy["cache"]!["used_blocks"]!.GetValue<int>(), busy["counters"]!["requests_finished"]!.GetValue<int>()));
        Assert.Equal((0, 0, 1), (after["sequences"]!["running"]!.GetValue<int>(), after["cache"]!["used_blocks"]!.GetValue<int>(), after["counters"]!["requests_finished"]!.GetValue<int>()));
        Assert.Equal((true, false), (busy["healthy"]!.GetValue<bool>(), after["healthy"]!.GetValue<bool>()));
    }

    [Fact]
    public async Task Engine_AfterAPromotion_TellsWhatIsLiveAndInMemory()
    {
        using TrainingServer server = new();
        await server.UntilAsync(await server.JobAsync(await server.FileAsync()), "succeeded");
        await server.PostOkAsync("/admin/models/promote", $$"""{"model":"{{FakeEngine.ModelName}}@job-1-step-3","force":true}""");
        JsonNode model = (await server.GetAsync("/admin/engine"))["model"]!;

        Assert.Equal("org/test-model@job-1-step-3", model["live"]!.GetValue<string>());
        Assert.Equal("job-1-step-3", model["live_weight_version"]!.GetValue<string>());
        Assert.Equal("""["org/test-model@base","org/test-model@job-1-step-3"]""", model["loaded"]!.ToJsonString());
        Assert.Equal("""["0123456789abcdef","job-1-step-3"]""", model["weight_versions"]!.ToJsonString());
    }
}
