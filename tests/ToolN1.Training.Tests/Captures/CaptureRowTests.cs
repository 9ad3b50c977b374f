using ToolN1.Training.Captures;
using ToolN1.Training.Data;
using ToolN1.Training.Jobs.Storage;

namespace ToolN1.Training.Tests.Captures;

public sealed class CaptureRowTests
{
    [Theory]
    [InlineData(CaptureStatus.Pending, null)]
    [InlineData(CaptureStatus.Pending, "admin-1")]
    [InlineData(CaptureStatus.Rejected, "admin-1")]
    [InlineData(CaptureStatus.Confirmed, null)]
    public void Of_WhatNobodyFoundRight_IsNeverARow(string status, string? reviewer) =>
        Assert.Contains("only what a person has reviewed", Assert.Throws<InvalidOperationException>(() => CaptureRow.Of(Capture(status, reviewer))).Message, StringComparison.Ordinal);

    [Fact]
    public void Of_Confirmed_IsTheRowThatAReaderReads()
    {
        TrainingRow row = CaptureRow.Of(Capture(CaptureStatus.Confirmed, "admin-1"));

        Assert.Equal(("Ann: Be brief.", "It is 1.", """[{"name": "f", "arguments": {"a": 1}}]"""), (row.System, row.Think, row.AnswerJson));
        Assert.Equal(["go"], row.Messages.Select(message => message.Content));
    }

    private static CaptureRecord Capture(string status, string? reviewer) => new()
    {
        Id = "capture-1",
        Number = 1,
        CreatedAt = 0,
        Status = status,
        Endpoint = "chat",
        AnswerId = "chatcmpl-1",
        Choice = 0,
        Model = "m",
        WeightVersion = "w",
        FinishReason = "tool_calls",
        Request = "go",
        CalledTools = "\nf\n",
        Document = """{"messages":[{"role":"system","name":"Ann","content":"Be brief.","calls":[]},{"role":"user","content":"go","calls":[]}],"tools":["{\"name\":\"f\"}"],"reasoning":"It is 1.","calls":[{"name":"f","arguments":"{\"a\":1}"}]}""",
        Redactions = "{}",
        ReviewedBy = reviewer,
    };
}
