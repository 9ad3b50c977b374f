using ToolN1.Engine.Model;
using ToolN1.Training.Grpo;
using static TorchSharp.torch;

namespace ToolN1.Cli.Commands;

/// <summary>What a run needs beside what there is.</summary>
/// <param name="Plan">What it needs.</param>
/// <param name="Limit">Bytes there are.</param>
/// <param name="Remedies">Where it does not fit: changes that make it smaller, each on top of those before it.</param>
internal sealed record GrpoPlanCheck(GrpoMemoryPlan Plan, long Limit, IReadOnlyList<GrpoMemoryRemedy> Remedies)
{
    /// <summary>Exit code of a run that does not fit.</summary>
    public const int DoesNotFit = 3;

    private const double MiB = 1 << 20;

    /// <summary>Whether it fits.</summary>
    public bool Fits => Plan.Total <= Limit;

    /// <summary>This machine's memory, or what of it this process may have.</summary>
    public static long MachineBytes => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Plans a run and compares.</summary>
    /// <param name="config">The run.</param>
    /// <param name="model">Shape of its model.</param>
    /// <param name="device">Where it is to run; need not be there.</param>
    /// <param name="limit">Bytes there are.</param>
    public static GrpoPlanCheck Create(GrpoConfig config, ModelConfig model, Device device, long limit)
    {
        GrpoMemoryPlan plan = GrpoMemoryPlan.Create(config, model, device);
        return new GrpoPlanCheck(plan, limit, plan.Total <= limit ? [] : GrpoMemoryPlan.Remedies(config, model, device, limit));
    }

    /// <summary>Writes the plan and, where it does not fit, what would.</summary>
    public void Write(TextWriter writer)
    {
        foreach (GrpoMemoryItem item in Plan.Items)
        {
            writer.WriteLine($"{item.Kind,-18}{item.Bytes / MiB,12:N1} MiB  {item.What}");
        }

        writer.WriteLine($"{"total",-18}{Plan.Total / MiB,12:N1} MiB  of {Limit / MiB:N1} MiB");
        if (Fits)
        {
            return;
        }

        writer.WriteLine();
        writer.WriteLine("This does not fit. Each change below is on top of those before it:");
        foreach (GrpoMemoryRemedy remedy in Remedies)
        {
            writer.WriteLine($"  {remedy.Change,-40}{remedy.TotalBytes / MiB,12:N1} MiB{(remedy.TotalBytes <= Limit ? "  fits" : string.Empty)}");
        }

        if (Remedies.Count == 0 || Remedies[^1].TotalBytes > Limit)
        {
            writer.WriteLine("  Nothing that this project can change makes it fit.");
        }
    }
}
