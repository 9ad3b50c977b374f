using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ToolN1.Api.Tests.Support;
using ToolN1.Training.Captures;
using ToolN1.Training.Jobs.Hosting;

namespace ToolN1.Api.Tests.Captures;

/// <summary>What the server refuses to start with.</summary>
public sealed class CaptureOptionsTests
{
    [Theory]
    [InlineData("ToolN1:Captures:MaxRows", "0", "ToolN1:Captures:MaxRows")]
    [InlineData("ToolN1:Captures:Redaction:Rules:0:Name", "A b", "ToolN1:Captures:Redaction:Rules:0:Name")]
    [InlineData("ToolN1:Captures:Redaction:Rules:0:Pattern", "(?<=a)b", "ToolN1:Captures:Redaction:Rules:0:Pattern")]
    [InlineData("ToolN1:Captures:Redaction:Rules:0:Pattern", "(", "ToolN1:Captures:Redaction:Rules:0:Pattern")]
    [InlineData("ToolN1:Captures:Redaction:Rules:0:Pattern", "a*", "ToolN1:Captures:Redaction:Rules:0:Pattern")]
    public void WrongOption_IsRefusedAtTheStartByName(string option, string value, string named)
    {
        Dictionary<string, string?> settings = new() { ["ToolN1:Captures:Redaction:Rules:0:Name"] = "staff", ["ToolN1:Captures:Redaction:Rules:0:Pattern"] = "E[0-9]{5}" };
        settings[option] = value;

        Assert.Contains(named, Assert.Throws<OptionsValidationException>(() => Options(settings, isTrainingOn: true)).Message, StringComparison.Ordinal);
        Assert.ThrowsAny<Exception>(() => new CaptureServer(settings: [.. settings.Select(pair => (pair.Key, pair.Value!))]));
    }

    [Fact]
    public void WithoutAnAdminKey_IsRefusedAtTheStart()
    {
        Dictionary<string, string?> settings = new() { ["ToolN1:Captures:Enabled"] = "true" };

        Assert.Contains("ToolN1:Captures:Enabled", Assert.Throws<OptionsValidationException>(() => Options(settings, isTrainingOn: false)).Message, StringComparison.Ordinal);
        Assert.True(Options(settings, isTrainingOn: true).Enabled);
        Assert.ThrowsAny<Exception>(() => new ApiServer(("ToolN1:Auth:ApiKeys:0", "a"), ("ToolN1:Captures:Enabled", "true")));
    }

    /// <summary>The options as the server reads them.</summary>
    private static CaptureOptions Options(Dictionary<string, string?> settings, bool isTrainingOn)
    {
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        using ServiceProvider services = new ServiceCollection().AddToolN1Training(configuration, isTrainingOn).BuildServiceProvider();
        return services.GetRequiredService<IOptions<CaptureOptions>>().Value;
    }
}
