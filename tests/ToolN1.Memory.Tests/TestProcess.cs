using System.Runtime.CompilerServices;
using ToolN1.Engine.Hosting;
using Xunit.Sdk;
using Xunit.v3;

// These tests measure the whole process, one after another, and in a process of their own: what other tests allocate meanwhile
// would be counted, and so would what they leave behind and the collector or an ending thread gives back later.
[assembly: Parallelization(Mode = ParallelMode.None)]

namespace ToolN1.Memory.Tests;

/// <summary>Prepares the process as the program's own Main does: on a busy machine spinning OpenMP threads make tests ten times slower.</summary>
internal static class TestProcess
{
    [ModuleInitializer]
    internal static void Prepare() => NativeEnvironment.Prepare();
}
