using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ToolN1.Engine.Constraints;

/// <summary>
/// The processor time of the calling thread where the system tells it (Linux), else the time on the wall. What others do on a
/// busy machine must not use up somebody's budget.
/// </summary>
internal static partial class ThreadClock
{
    private const int ThreadCpuTime = 3;

    /// <summary>Time since some moment that is the same for the whole life of the thread.</summary>
    public static TimeSpan Now() => OperatingSystem.IsLinux() && GetTime(ThreadCpuTime, out TimeSpec time) == 0
        ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromTicks(time.Nanoseconds / TimeSpan.NanosecondsPerTick)
        : Stopwatch.GetElapsedTime(0);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
