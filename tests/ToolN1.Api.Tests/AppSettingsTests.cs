using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using ToolN1.Api.Auth;
using ToolN1.Api.Tests.Support;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Hosting;
using ToolN1.TestSupport;
using ToolN1.Training.Captures;
using ToolN1.Training.Hosting;
using ToolN1.Training.Jobs.Hosting;

namespace ToolN1.Api.Tests;

/// <summary>appsettings.json shows every option with the value that it has when nobody sets it.</summary>
public sealed class AppSettingsTests
{
    /// <summary>Where each class of options stands; several may share a section.</summary>
    private static readonly Dictionary<Type, string> Sections = new()
    {
        [typeof(ModelOptions)] = ModelOptions.SectionName,
        [typeof(EngineOptions)] = EngineOptions.SectionName,
        [typeof(ChatServingOptions)] = ChatServingOptions.SectionName,
        [typeof(ServerOptions)] = ServerOptions.Section,
        [typeof(DataOptions)] = DataOptions.SectionName,
        [typeof(TrainingOptions)] = TrainingOptions.SectionName,
        [typeof(CaptureOptions)] = CaptureOptions.SectionName,

        // Read by hand, not bound.
        [typeof(AuthOptions)] = AuthOptions.Section,
    };

    private static JsonNode Settings => JsonNode.Parse(File.ReadAllText(Path.Combine(TestPaths.Root, "appsettings.json")))!;

    [Fact]
    public void Sections_OfThisTest_AreThoseThatTheServerBinds()
    {
        Type[] bound = [];
        using ApiServer server = new(_ => { }, services => bound =
        [
            .. services.Select(service => service.ServiceType)
                .Where(type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IOptionsChangeTokenSource<>))
                .Select(type => type.GetGenericArguments()[0])
                .Where(type => type.Namespace!.StartsWith("ToolN1.", StringComparison.Ordinal))
                .Distinct(),
        ]);

        Assert.Equal(
            Sections.Keys.Where(type => type != typeof(AuthOptions)).Select(type => type.Name).Order(StringComparer.Ordinal),
            bound.Select(type => type.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void File_HasEveryOptionWithItsDefault_AndNoOther()
    {
        SortedDictionary<string, string> options = new(StringComparer.Ordinal);
        foreach ((Type type, string section) in Sections)
        {
            AddDefaults(options, section, Activator.CreateInstance(type)!);
        }

        SortedDictionary<string, string> written = new(StringComparer.Ordinal);
        AddValues(written, "ToolN1", Settings["ToolN1"]!);
        Assert.Equal(options, written);
    }

    [Fact]
    public void Readme_TableOfOptions_NamesEveryOption()
    {
        string readme = File.ReadAllText(Path.Combine(TestPaths.Root, "README.md"));
        string table = readme[readme.IndexOf("| Option |", StringComparison.Ordinal)..];
        table = table[..table.IndexOf("\n\n", StringComparison.Ordinal)];
        SortedDictionary<string, string> options = new(StringComparer.Ordinal);
        AddValues(options, "ToolN1", Settings["ToolN1"]!);

        // A row of several names the section once: `ToolN1:Server:A`, `B`.
        Assert.All(options.Keys, option => Assert.True(Names(option) || Names(option.Split(':')[^1]), $"{option} is not in the table"));

        bool Names(string name) => table.Contains($"`{name}`", StringComparison.Ordinal);
    }

    private static void AddDefaults(SortedDictionary<string, string> options, string path, object instance)
    {
        foreach (PropertyInfo property in instance.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite))
        {
            object? value = property.GetValue(instance);
            if (value?.GetType().Namespace?.StartsWith("ToolN1.", StringComparison.Ordinal) == true && !value.GetType().IsArray)
            {
                AddDefaults(options, path + ":" + property.Name, value);
            }
            else
            {
                options.Add(path + ":" + property.Name, JsonSerializer.Serialize(value));
            }
        }
    }

    private static void AddValues(SortedDictionary<string, string> written, string path, JsonNode? node)
    {
        if (node is not JsonObject section)
        {
            written.Add(path, node?.ToJsonString() ?? "null");
            return;
        }

        foreach ((string name, JsonNode? value) in section)
        {
            AddValues(written, path + ":" + name, value);
        }
    }
}
