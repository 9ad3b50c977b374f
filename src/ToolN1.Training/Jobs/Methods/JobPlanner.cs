using Microsoft.Extensions.Options;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Training.Grpo;
using ToolN1.Training.Planning;
using ToolN1.Training.Sft;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Jobs.Methods;

/// <summary>Plans jobs on the server's own engine and device.</summary>
internal sealed class JobPlanner(IOptions<ModelOptions> model, IOptions<EngineOptions> engine, ServedModel served, IModelHost host)
{
    /// <summary>Where jobs run.</summary>
    public Device Device => DeviceSelector.Select(model.Value.Device);

    /// <summary>What a reinforcement job will need, the server included.</summary>
    /// <param name="config">The run.</param>
    /// <param name="prompts">Of its rows; null takes the configuration's word for it.</param>
    /// <param name="folder">Hugging Face folder of the model that it starts from.</param>
    /// <param name="limit">Bytes there are; null asks the machine, or its GPU's driver.</param>
    public MemoryCheck Plan(GrpoConfig config, RowLengths? prompts, string folder, long? limit) =>
        GrpoMemoryPlan.Check(config, ModelConfig.Load(folder), Device, limit ?? DeviceMemory.TotalBytes(Device), prompts, ServerOf(folder));

    /// <summary>What a supervised job will need, the server included.</summary>
    /// <param name="config">The run.</param>
    /// <param name="rows">What it learns from.</param>
    /// <param name="folder">Hugging Face folder of the model that it starts from.</param>
    /// <param name="limit">Bytes there are; null asks the machine, or its GPU's driver.</param>
    public MemoryCheck Plan(SftConfig config, RowLengths? rows, string folder, long? limit) =>
        SftMemoryPlan.Check(config, ModelConfig.Load(folder), Device, limit ?? DeviceMemory.TotalBytes(Device), rows, ServerOf(folder));

    /// <summary>What the process is planned to take in the machine's memory; null on a GPU, whose memory the plan is about.</summary>
    public long? MachineBytes(GrpoConfig config, RowLengths? prompts, string folder) =>
        Device.type == DeviceType.CPU ? GrpoMemoryPlan.Create(config, ModelConfig.Load(folder), Device, prompts, ServerOf(folder)).Total : null;

    private PlannedServer ServerOf(string folder) => new(
        engine.Value,
        StartsFromFirst: folder == served.Folder,
        IsFirstLive: host.LiveVersion == served.Info.WeightVersion,
        DType: model.Value.DType is "float32" or "bfloat16" ? model.Value.DType : "auto");
}
