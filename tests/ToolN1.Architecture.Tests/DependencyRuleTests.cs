using System.CodeDom.Compiler;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using ToolN1.TestSupport;

namespace ToolN1.Architecture.Tests;

/// <summary>Who may know whom (CONTRIBUTING.md, "Who may know whom").</summary>
public sealed class DependencyRuleTests
{
    private static readonly ArchUnitNET.Domain.Architecture Loaded = new ArchLoader().LoadFilteredDirectory(
        AppContext.BaseDirectory, "ToolN1.*.dll", SearchOption.TopDirectoryOnly)
        .LoadAssembly(System.Reflection.Assembly.Load("tooln1")).Build();

    /// <summary>The namespaces of the engine that handle ids and spans; tensors live in the others, on the engine's thread.</summary>
    private static readonly string[] TensorFree = ["Chat", "Tokenization", "Constraints", "Scheduling"];

    [Theory]
    [InlineData("ToolN1.Engine", "ToolN1.Training")]
    [InlineData("ToolN1.Engine", "ToolN1.Api")]
    [InlineData("ToolN1.Engine", "ToolN1.Cli")]
    [InlineData("ToolN1.Training", "ToolN1.Api")]
    [InlineData("ToolN1.Training", "ToolN1.Cli")]
    [InlineData("ToolN1.Cli", "ToolN1.Api")]
    [InlineData("ToolN1.Api", "ToolN1.Cli")]
    public void Layers_NothingPointsUpward(string lower, string upper) =>
        AssertNone(type => InNamespace(type, lower), target => InNamespace(target, upper));

    [Theory]
    [InlineData("ToolN1.Engine")]
    [InlineData("ToolN1.Training")]
    [InlineData("ToolN1.Cli")]
    public void AspNetCore_IsKnownToApiOnly(string layer) =>
        AssertNone(type => InNamespace(type, layer), target => InNamespace(target, "Microsoft.AspNetCore"));

    [Fact]
    public void Engine_IdsAndSpansSide_HoldsNoTensor() =>
        AssertNone(
            type => TensorFree.Any(part => InNamespace(type, "ToolN1.Engine." + part)) || type.FullName == "ToolN1.Engine.Cache.BlockAllocator",
            target => target.FullName.StartsWith("TorchSharp.", StringComparison.Ordinal));

    [Fact]
    public void Api_HandlesNoTensor() =>
        AssertNone(type => InNamespace(type, "ToolN1.Api"), target => target.FullName.StartsWith("TorchSharp.", StringComparison.Ordinal));

    [Fact]
    public void Engine_KnowsNoJobRewardRolloutOrAdvantage()
    {
        Regex training = new("(Job|Reward|Rollout|Advantage|Grpo)", RegexOptions.CultureInvariant);
        IEnumerable<string> named = Loaded.Types
            .Where(type => InNamespace(type, "ToolN1.Engine") && training.IsMatch(type.Name)).Select(type => type.FullName);
        Assert.Empty(named);
    }

    [Fact]
    public void StaticState_IsImmutable()
    {
        string[] assemblies = ["ToolN1.Engine", "ToolN1.Training", "ToolN1.Api", "tooln1"];
        IEnumerable<string> mutable = assemblies.Select(System.Reflection.Assembly.Load).SelectMany(assembly => assembly.GetTypes())
            .Where(type => type.Namespace?.StartsWith("ToolN1", StringComparison.Ordinal) == true && !IsCompilerMade(type))
            .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Where(field => !field.IsInitOnly && !field.IsLiteral && !IsCompilerMade(field))
            .Select(field => field.DeclaringType!.FullName + "." + field.Name);
        Assert.Empty(mutable);
    }

    [Fact]
    public void Loaded_ContainsEveryLayer()
    {
        // Guards the rules above against passing because nothing was read.
        foreach (string layer in new[] { "ToolN1.Engine", "ToolN1.Training", "ToolN1.Api", "ToolN1.Cli" })
        {
            Assert.Contains(Loaded.Types, type => InNamespace(type, layer));
        }
    }

    [Fact]
    public void Projects_ReferenceOnlyWhatTheirLayerMay()
    {
        Dictionary<string, string[]> allowed = new()
        {
            ["ToolN1.Engine"] = [],
            ["ToolN1.Training"] = ["ToolN1.Engine"],
            ["ToolN1.Api"] = ["ToolN1.Engine", "ToolN1.Training"],
            ["ToolN1.Cli"] = ["ToolN1.Engine", "ToolN1.Training"],
        };
        foreach ((string project, string[] may) in allowed)
        {
            string text = File.ReadAllText(Path.Combine(TestPaths.Root, "src", project, project + ".csproj"));
            IEnumerable<string> references = Regex.Matches(text, @"ProjectReference Include="".*?([\w.]+)\.csproj""").Select(match => match.Groups[1].Value);
            Assert.Empty(references.Except(may));
        }
    }

    /// <summary>Lambdas' caches and source generators' fields hold no state of ours.</summary>
    private static bool IsCompilerMade(MemberInfo? member) => member is not null
        && (member.Name.Contains('<', StringComparison.Ordinal)
            || member.GetCustomAttributes().Any(attribute => attribute is CompilerGeneratedAttribute or GeneratedCodeAttribute)
            || IsCompilerMade(member.DeclaringType));

    private static bool InNamespace(IType type, string space) =>
        type.FullName.StartsWith(space + ".", StringComparison.Ordinal);

    private static void AssertNone(Func<IType, bool> from, Func<IType, bool> to)
    {
        IEnumerable<string> found = Loaded.Types.Where(from)
            .SelectMany(type => type.Dependencies.Where(dependency => to(dependency.Target))
                .Select(dependency => $"{type.FullName} -> {dependency.Target.FullName}"))
            .Distinct();
        Assert.Empty(found);
    }
}
