using Mono.Cecil;

namespace ToolN1.Architecture.Tests;

/// <summary>
/// TorchSharp frees the native object of a number while libtorch may still read it (NumberOps says how), so none is made
/// outside the places that hold on to it: neither by conversion, nor inside an operation that adds one of its own accord.
/// </summary>
public sealed class TensorNumberTests
{
    private const string Number = "TorchSharp.Scalar";
    private const string Tensor = "TorchSharp.torch/Tensor";

    private static readonly string[] Holders = ["ToolN1.Engine.Kernels.NumberOps", "ToolN1.Engine.Kernels.GpuOps", "ToolN1.Engine.Kernels.ScriptedDecoder"];

    [Theory]
    [InlineData("ToolN1.Engine.dll")]
    [InlineData("ToolN1.Training.dll")]
    [InlineData("tooln1.dll")]
    public void Numbers_MeetTensors_OnlyWhereTheyAreHeld(string file)
    {
        using ModuleDefinition module = ModuleDefinition.ReadModule(Path.Combine(AppContext.BaseDirectory, file));
        string[] found = [.. from type in module.GetTypes()
                             where !Holders.Contains(type.FullName)
                             from method in type.Methods
                             where method.HasBody
                             from instruction in method.Body.Instructions
                             where instruction.Operand is MethodReference called && MakesNumber(called)
                             select $"{type.FullName}.{method.Name}: {((MethodReference)instruction.Operand).FullName}"];
        Assert.True(found.Length == 0, string.Join(Environment.NewLine, found));
    }

    private static bool MakesNumber(MethodReference called) =>
        (called.DeclaringType.FullName is Number && called.Name == "op_Implicit")
        || (called.DeclaringType.FullName is "TorchSharp.ScalarExtensionMethods" && called.Name.StartsWith("To", StringComparison.Ordinal) && called.ReturnType.FullName == Number)
        || (called.DeclaringType.FullName is Tensor && AddsNumber(called));

    /// <summary>Sums take the factor 1 as a number where none is given; operators with C#'s numbers convert them inside.</summary>
    private static bool AddsNumber(MethodReference called) =>
        (called.Name is "op_Addition" or "add" or "add_" && !called.Parameters.Any(parameter => parameter.ParameterType.FullName == Number))
        || (called.Name is "add" or "add_" && called.Parameters.Count == 1)
        || (called.Name.StartsWith("op_", StringComparison.Ordinal) && called.Parameters.Any(parameter => parameter.ParameterType.IsPrimitive));
}
