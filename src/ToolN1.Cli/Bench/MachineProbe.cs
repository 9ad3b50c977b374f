using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ToolN1.Cli.Bench;

/// <summary>What this machine can do at best just now: the bounds that measured speeds are held against.</summary>
internal static unsafe class MachineProbe
{
    private const long BufferBytes = 256L << 20;

    private const long Multiplications = 4_000_000;

    /// <summary>Processor name, as the operating system tells it.</summary>
    public static string Processor()
    {
        string? line = OperatingSystem.IsLinux()
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(text => text.StartsWith("model name", StringComparison.Ordinal))
            : null;
        return $"{line?[(line.IndexOf(':') + 1)..].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString()}, {Environment.ProcessorCount} threads";
    }

    /// <summary>GB/s of reading memory with all threads.</summary>
    public static double ReadGigabytesPerSecond()
    {
        byte* buffer = (byte*)NativeMemory.AlignedAlloc((nuint)BufferBytes, 64);
        new Span<byte>(buffer, (int)BufferBytes).Fill(1);
        long share = BufferBytes / Environment.ProcessorCount / 256 * 256;
        double seconds = Best(thread => Read(buffer + (thread * share), share));
        NativeMemory.AlignedFree(buffer);
        return share * Environment.ProcessorCount / seconds / 1e9;
    }

    /// <summary>GFLOP/s of float32 multiply-adds with all threads.</summary>
    public static double Float32Gigaflops() =>
        Multiplications * 16 * Vector512<float>.Count * 2.0 * Environment.ProcessorCount / Best(_ => MultiplyAdd()) / 1e9;

    private static double Best(Action<int> work)
    {
        double best = double.MaxValue;
        for (int i = 0; i < 3; i++)
        {
            long start = Stopwatch.GetTimestamp();
            Parallel.For(0, Environment.ProcessorCount, work);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Read(byte* from, long bytes)
    {
        Vector512<long> a = Vector512<long>.Zero, b = a, c = a, d = a;
        for (long i = 0; i < bytes; i += 256)
        {
            a += Vector512.Load((long*)(from + i));
            b += Vector512.Load((long*)(from + i + 64));
            c += Vector512.Load((long*)(from + i + 128));
            d += Vector512.Load((long*)(from + i + 192));
        }

        GC.KeepAlive(Vector512.Sum(a + b + c + d));
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyAdd()
    {
        Vector512<float> factor = Vector512.Create(0.999f), term = Vector512.Create(0.001f);
        Vector512<float> a = term, b = term, c = term, d = term, e = term, f = term, g = term, h = term;
        for (long i = 0; i < Multiplications * 2; i++)
        {
            a = Vector512.FusedMultiplyAdd(a, factor, term);
            b = Vector512.FusedMultiplyAdd(b, factor, term);
            c = Vector512.FusedMultiplyAdd(c, factor, term);
            d = Vector512.FusedMultiplyAdd(d, factor, term);
            e = Vector512.FusedMultiplyAdd(e, factor, term);
            f = Vector512.FusedMultiplyAdd(f, factor, term);
            g = Vector512.FusedMultiplyAdd(g, factor, term);
            h = Vector512.FusedMultiplyAdd(h, factor, term);
        }

        GC.KeepAlive(Vector512.Sum(a + b + c + d + e + f + g + h));
    }
}
