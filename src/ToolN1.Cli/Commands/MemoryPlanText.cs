using ToolN1.Training.Planning;

namespace ToolN1.Cli.Commands;

/// <summary>A memory plan for people, and what follows from it.</summary>
internal static class MemoryPlanText
{
    /// <summary>Exit code of a run that does not fit.</summary>
    public const int DoesNotFit = 3;

    private const double MiB = 1 << 20;

    /// <summary>Writes the plan and, where it does not fit, what would.</summary>
    public static void Write(MemoryCheck check, TextWriter writer)
    {
        foreach (MemoryItem item in check.Plan.Items)
        {
            writer.WriteLine($"{item.Kind,-18}{item.Bytes / MiB,12:N1} MiB  {item.What}");
        }

        writer.WriteLine($"{"total",-18}{check.Plan.Total / MiB,12:N1} MiB  {(check.Limit is long limit ? $"of {limit / MiB:N1} MiB" : "(how much there is is not known)")}");
        if (check.Fits != false)
        {
            return;
        }

        writer.WriteLine();
        writer.WriteLine("This does not fit. Each change below is on top of those before it:");
        foreach (MemoryRemedy remedy in check.Remedies)
        {
            writer.WriteLine($"  {remedy.Change,-40}{remedy.TotalBytes / MiB,12:N1} MiB{(remedy.TotalBytes <= check.Limit ? "  fits" : string.Empty)}");
        }

        if (!check.CanFit)
        {
            writer.WriteLine("  Nothing that this project can change makes it fit.");
        }
    }

    /// <summary>Tells, before a run begins, why it is refused, or that nobody could look.</summary>
    /// <param name="check">The run's.</param>
    /// <param name="ignorePlan">Whether it is to begin all the same.</param>
    /// <returns>Whether it is refused.</returns>
    public static bool Refuses(MemoryCheck check, bool ignorePlan)
    {
        if (check.Fits is null)
        {
            Console.Error.WriteLine($"The GPU's driver does not tell how much memory it has; {check.Plan.Total / MiB:N0} MiB are planned.");
        }

        if (check.Fits != false || ignorePlan)
        {
            return false;
        }

        Write(check, Console.Error);
        Console.Error.WriteLine("--ignore-plan starts it all the same.");
        return true;
    }

    /// <summary>Tells at a run's end what the process took beside what was planned; of a GPU's memory nothing tells.</summary>
    public static void WritePeak(MemoryPlan plan, bool isCpu)
    {
        using System.Diagnostics.Process process = System.Diagnostics.Process.GetCurrentProcess();
        Console.WriteLine($"Peak memory of the process: {process.PeakWorkingSet64 >> 20:N0} MiB (planned {plan.Total >> 20:N0} MiB{(isCpu ? string.Empty : " of the GPU's")})");
    }
}
