using System.ComponentModel;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using Microsoft.SemanticKernel.Connectors.OpenAI;

namespace ToolN1.EndToEnd.Tests;

/// <summary>Semantic Kernel's function loop against the real server process, over random weights.</summary>
public sealed class SemanticKernelLoopTests(LoopServer loop) : IClassFixture<LoopServer>
{
    private readonly List<string> _asked = [];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FunctionLoop_RunsTheFunctionAndEnds(bool stream)
    {
        Kernel kernel = new();
        kernel.Plugins.AddFromFunctions("weather", [KernelFunctionFactory.CreateFromMethod(GetWeather, "get_weather")]);
        OpenAIChatCompletionService chat = new(LoopServer.Model, loop.Server.Client());
        ChatHistory history = new("Be brief.");
        history.AddUserMessage("What is the weather in Paris?");
        OpenAIPromptExecutionSettings settings = new() { FunctionChoiceBehavior = FunctionChoiceBehavior.Required(), MaxTokens = 200, Temperature = 1 };

        if (stream)
        {
            await foreach (StreamingChatMessageContent _ in chat.GetStreamingChatMessageContentsAsync(history, settings, kernel, TestContext.Current.CancellationToken))
            {
            }
        }
        else
        {
            await chat.GetChatMessageContentsAsync(history, settings, kernel, TestContext.Current.CancellationToken);
        }

        Assert.NotEmpty(_asked);
        Assert.Contains(history, message => message.Role == AuthorRole.Tool);
        Assert.Contains(history, message => message.Items.OfType<FunctionResultContent>().Any(result => result.Result?.ToString() == "21 degrees"));
    }

    [Description("Weather of a city")]
    private string GetWeather([Description("The city")] string city)
    {
        _asked.Add(city);
        return "21 degrees";
    }
}
