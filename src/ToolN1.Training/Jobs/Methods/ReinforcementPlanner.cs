using Microsoft.Extensions.Options;
using ToolN1.Engine.Execution;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Training.Grpo;
using static TorchSharp.torch;

namespace ToolN1.Training.Jobs.Methods;

/// <summary>Plans jobs on the server's own engine and device.</summary>
internal sealed class ReinforcementPlanner(IOptions<ModelOptions> model, IOptions<EngineOptions> engine, ServedModel served, IModelHost host)
{
    /// <summary>What a run will need, the server included.</summary>
    /// <param name="config">The run.</param>
    /// <param name="folder">Hugging Face folder of the model that it starts from.</param>
    /// <param name="limit">Bytes there are; null asks the machine.</param>
    /// <returns>Null on a GPU whose memory nobody named: there is no call that tells it.</returns>
    public JobPlan? Plan(GrpoConfig config, string folder, long? limit)
    {
        Device device = DeviceSelector.Select(model.Value.Device);
        limit ??= device.type == TorchSharp.DeviceType.CPU ? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes : null;
        if (limit is not long bytes)
        {
            return null;
        }

        ModelConfig shape = ModelConfig.Load(folder);
        GrpoConfig here = config with { Engine = config.Engine with { DType = model.Value.DType is "float32" or "bfloat16" ? model.Value.DType : "auto" } };
        GrpoServer server = new(engine.Value, StartsFromFirst: folder == served.Folder, IsFirstLive: host.LiveVersion == served.Info.WeightVersion);
        GrpoMemoryPlan plan = GrpoMemoryPlan.Create(here, shape, device, server);
        return new JobPlan(plan.Items, plan.Total, bytes, plan.Total <= bytes ? [] : GrpoMemoryPlan.Remedies(here, shape, device, bytes, server));
    }
}
