using ToolN1.Engine.Chat;

namespace ToolN1.Engine.Tests.Chat;

public sealed class ConversationTests
{
    [Fact]
    public void OrderResults_AnyOrder_IsThatOfTheCalls()
    {
        ChatMessage[] messages = [User, Calls("a", "b", "c"), Result("c"), Result("a"), Result("b"), User, Calls("a"), Result("a")];

        Assert.Equal(
            ["a", "b", "c", "a"],
            Conversation.OrderResults(messages).Where(message => message.Role == ChatRole.Tool).Select(message => message.ToolCallId));
    }

    [Theory]
    [InlineData("r:a", 0, null)]
    [InlineData("u r:a", 1, null)]
    [InlineData("c:a u r:a", 0, 0)]
    [InlineData("c:a r:b", 1, null)]
    [InlineData("c:a r:a r:a", 2, null)]
    [InlineData("c:a,b r:a", 0, 1)]
    [InlineData("c:a,b r:b u", 0, 0)]
    [InlineData("u c:a,a r:a", 1, 1)]
    [InlineData("c:a r:a u r:a", 3, null)]
    public void OrderResults_ResultsAndCallsThatDoNotMatch_NamesThePlace(string messages, int message, int? call)
    {
        ConversationException exception = Assert.Throws<ConversationException>(() => Conversation.OrderResults([.. messages.Split(' ').Select(Parse)]));

        Assert.Equal((message, call), (exception.MessageIndex, exception.CallIndex));
        Assert.StartsWith($"messages[{message}]", exception.Field, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("u c:a,b", 2)]
    [InlineData("u c:a,b r:b", 3)]
    public void OrderResults_EndsInCalls_IsAllowedWhereItIsOnlyRendered(string messages, int count)
    {
        ChatMessage[] parsed = [.. messages.Split(' ').Select(Parse)];

        Assert.Equal(count, Conversation.OrderResults(parsed, mayEndInCalls: true).Count);
        Assert.Throws<ConversationException>(() => Conversation.OrderResults(parsed));
    }

    private static ChatMessage User => new() { Role = ChatRole.User, Content = "Hi" };

    private static ChatMessage Calls(params string[] ids) =>
        new() { Role = ChatRole.Assistant, ToolCalls = [.. ids.Select(id => new ToolCall(id, "f", "{}"))] };

    private static ChatMessage Result(string id) => new() { Role = ChatRole.Tool, ToolCallId = id, Content = id };

    private static ChatMessage Parse(string text) => text[0] switch
    {
        'c' => Calls(text[2..].Split(',')),
        'r' => Result(text[2..]),
        _ => User,
    };
}
