using System.Runtime.CompilerServices;
using ToolN1.Engine.Hosting;

namespace ToolN1.Training.Tests;

/// <summary>Prepares the process as the program's own Main does: on a busy machine spinning OpenMP threads make tests ten times slower.</summary>
internal static class TestProcess
{
    [ModuleInitializer]
    internal static void Prepare() => NativeEnvironment.Prepare();
}
