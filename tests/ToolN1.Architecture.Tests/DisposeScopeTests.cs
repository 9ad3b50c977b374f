using Mono.Cecil;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Architecture.Tests;

/// <summary>
/// TorchSharp's dispose scopes and gradient modes belong to a thread; an await may go on on another, and what an iterator yields to
/// runs inside its scopes. So asynchronous methods and iterators open none: what needs one is a method of its own, which
/// they call.
/// </summary>
public sealed class DisposeScopeTests
{
    private static readonly string[] Openers = ["NewDisposeScope", "inference_mode", "no_grad", "enable_grad", "set_grad_enabled"];

    [Theory]
    [InlineData("ToolN1.Engine.dll")]
    [InlineData("ToolN1.Training.dll")]
    [InlineData("ToolN1.Api.dll")]
    [InlineData("tooln1.dll")]
    public void Scopes_AreOpenedInNoAsynchronousMethodAndNoIterator(string file)
    {
        string[] found = [.. Find(Path.Combine(AppContext.BaseDirectory, file), _ => true)];
        Assert.True(found.Length == 0, string.Join(Environment.NewLine, found));
    }

    [Fact]
    public void Scopes_OfTheSample_AreFoundWhereTheySpanAnAwaitOrAYield()
    {
        // Guards the rule above against passing because nothing was looked at.
        string[] found = [.. Find(typeof(Sample).Assembly.Location, type => type.FullName.StartsWith(typeof(Sample).FullName!.Replace('+', '/'), StringComparison.Ordinal))];
        Assert.Equal(
            [nameof(Sample.AcrossAwait), nameof(Sample.AcrossYield), nameof(Sample.GradientModeAcrossAwait), nameof(Sample.InALambda)],
            found.Select(method => new[] { nameof(Sample.AcrossAwait), nameof(Sample.AcrossYield), nameof(Sample.GradientModeAcrossAwait), nameof(Sample.InALambda), nameof(Sample.OfItsOwnAsync) }
                .Single(name => method.Contains("<" + name + ">", StringComparison.Ordinal))).Distinct().Order(StringComparer.Ordinal));
    }

    /// <summary>Methods of compiler-made state machines that open a scope, and fields there that hold one.</summary>
    private static IEnumerable<string> Find(string file, Func<TypeDefinition, bool> isWanted)
    {
        using ModuleDefinition module = ModuleDefinition.ReadModule(file);
        foreach (TypeDefinition type in module.GetTypes().Where(type => isWanted(type) && IsStateMachine(type)))
        {
            foreach (FieldDefinition field in type.Fields.Where(field => field.FieldType.FullName == "TorchSharp.DisposeScope"))
            {
                yield return $"{type.FullName}.{field.Name}";
            }

            foreach (MethodDefinition method in type.Methods.Where(method => method.HasBody))
            {
                foreach (MethodReference called in method.Body.Instructions.Select(instruction => instruction.Operand).OfType<MethodReference>())
                {
                    if (Openers.Contains(called.Name) && called.DeclaringType.FullName.StartsWith("TorchSharp.", StringComparison.Ordinal))
                    {
                        yield return $"{type.FullName}: {called.FullName}";
                    }
                }
            }
        }
    }

    private static bool IsStateMachine(TypeDefinition type) =>
        type.Name.StartsWith('<') && type.Interfaces.Any(item => item.InterfaceType.FullName is "System.Runtime.CompilerServices.IAsyncStateMachine" or "System.Collections.IEnumerator");

    /// <summary>What the rule forbids, and what it asks for instead. Never run.</summary>
    internal static class Sample
    {
        public static async Task AcrossAwait()
        {
            using DisposeScope scope = NewDisposeScope();
            await Task.Yield();
        }

        public static async Task GradientModeAcrossAwait()
        {
            using (no_grad())
            {
                await Task.Yield();
            }
        }

        public static IEnumerable<long> AcrossYield()
        {
            using IDisposable scope = NewDisposeScope();
            yield return ones(1).numel();
        }

        public static Func<Task> InALambda() => async () =>
        {
            using IDisposable scope = NewDisposeScope();
            await Task.Yield();
        };

        public static async Task<long> OfItsOwnAsync()
        {
            await Task.Yield();
            return Count();
        }

        private static long Count()
        {
            using IDisposable scope = NewDisposeScope();
            return ones(1).numel();
        }
    }
}
