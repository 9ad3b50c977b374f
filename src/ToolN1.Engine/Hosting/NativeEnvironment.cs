using System.Runtime.InteropServices;

namespace ToolN1.Engine.Hosting;

/// <summary>Settings that native libraries read when they load. Call first thing in a process, before any tensor.</summary>
public static partial class NativeEnvironment
{
    /// <summary>
    /// Lets idle OpenMP threads sleep rather than spin, which on a shared machine made a forward pass ten times faster. What
    /// the environment already says stays. Does nothing outside Linux.
    /// </summary>
    public static void Prepare()
    {
        if (OperatingSystem.IsLinux())
        {
            // Environment.SetEnvironmentVariable changes .NET's copy only; libgomp asks libc.
            _ = SetEnvironment("OMP_WAIT_POLICY", "PASSIVE", overwrite: 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
