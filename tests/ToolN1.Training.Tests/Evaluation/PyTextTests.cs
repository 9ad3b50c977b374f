using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Tests.Evaluation;

public sealed class PyTextTests
{
    [Theory]
    [InlineData("1", "1")]
    [InlineData("1.0", "1.0")]
    [InlineData("1e16", "1e+16")]
    [InlineData("123456789012345680", "123456789012345680")]
    [InlineData("1.5e-7", "1.5e-07")]
    [InlineData("0.0001", "0.0001")]
    [InlineData("1234567890123456.0", "1234567890123456.0")]
    [InlineData("12345678901234567.0", "1.2345678901234568e+16")]
    [InlineData("-0.0", "-0.0")]
    [InlineData("NaN", "nan")]
    [InlineData("-Infinity", "-inf")]
    [InlineData("""["it's", "a\"b", true, null, {"k": []}]""", """["it's", 'a"b', True, None, {'k': []}]""")]
    public void Repr_JsonValue_IsPythons(string json, string repr) => Assert.Equal(repr, PyText.Repr(PyJson.Parse(json)));

    [Theory]
    [InlineData("İstanbul", "i\u0307stanbul")]
    [InlineData("ΟΔΟΣ", "οδος")]
    [InlineData("\u212A", "k")]
    public void Lower_NonAscii_UsesTheFullMapping(string text, string lower) => Assert.Equal(lower, PyText.Lower(text));

    [Theory]
    [InlineData("01")]
    [InlineData("[1,]")]
    [InlineData("{'a': 1}")]
    [InlineData("\uFEFF1")]
    [InlineData("\"a\nb\"")]
    [InlineData("[1] []")]
    [InlineData("")]
    public void TryParse_WhatPythonRefuses_IsRefused(string json) => Assert.False(PyJson.TryParse(json, out _));

    [Fact]
    public void Equal_NumbersOfDifferentTypes_FollowPython()
    {
        Assert.True(PyValue.Equal(PyJson.Parse("1"), PyJson.Parse("1.0")));
        Assert.True(PyValue.Equal(PyJson.Parse("1"), PyJson.Parse("true")));
        Assert.False(PyValue.Equal(PyJson.Parse("9007199254740993"), PyJson.Parse("9007199254740992.0")));
        Assert.False(PyValue.Equal(PyJson.Parse("NaN"), PyJson.Parse("NaN")));
    }
}
