using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Engine.Tokenization;
using ToolN1.Training.Checkpoints;
using ToolN1.Training.Jobs;
using ToolN1.Training.Jobs.Hosting;
using ToolN1.Training.Jobs.Models;
using ToolN1.Training.Jobs.Storage;
using ToolN1.Training.Tests.Grpo;
using static TorchSharp.torch;

namespace ToolN1.Training.Tests.Jobs;

public sealed class ModelCatalogTests(GrpoFixture fixture) : IClassFixture<GrpoFixture>
{
    private static CancellationToken None => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Adapter_WhoseBaseWasReplacedUnderItsName_IsNeitherServedNorMerged()
    {
        string data = Path.Combine(fixture.Folder, "catalog");
        JobRecord job = TestStore.Job();
        using TrainingStore store = TestStore.Open(data, job);

        // 1. An adapter of the served model, served after a restart too.
        string name;
        await using (InferenceEngine engine = GrpoFixture.Start(fixture.Model))
        {
            using ModelCatalog catalog = Catalog(store, engine, fixture.Model);
            name = (await catalog.RegisterAsync(job, 3, MakeAdapter(data), None)).Name;
        }

        await using (InferenceEngine engine = GrpoFixture.Start(fixture.Model))
        {
            using ModelCatalog catalog = Catalog(store, engine, fixture.Model);
            using ModelUse use = await catalog.UseAsync(name, None);
            Assert.Contains(use.WeightVersion, engine.Host.Versions);
        }

        // 2. Other files under the model's name.
        await using InferenceEngine other = GrpoFixture.Start(fixture.OtherModel);
        using ModelCatalog replaced = Catalog(store, other, fixture.OtherModel);
        foreach (Func<Task> act in new Func<Task>[] { () => replaced.UseAsync(name, None), () => replaced.UseWholeAsync(name, None), () => replaced.ExportAsync(name, wantsAdapter: false, "me", None) })
        {
            CheckpointException refused = await Assert.ThrowsAsync<CheckpointException>(act);
            Assert.Contains("was trained over other weights", refused.Message, StringComparison.Ordinal);
            Assert.Equal(Path.Combine(data, "models", ModelNames.Key(1, 3)), refused.File);
        }

        Assert.Equal([other.Host.LiveVersion], other.Host.Versions);
    }

    [Fact]
    public async Task Adapter_Merged_NotesTheServedFormat_WhateverItsBasesFolderLooksLike()
    {
        string data = Path.Combine(fixture.Folder, "merged");
        JobRecord job = TestStore.Job();
        using TrainingStore store = TestStore.Open(data, job);
        await using InferenceEngine engine = GrpoFixture.Start(fixture.Model);
        using ModelCatalog catalog = Catalog(store, engine, fixture.Model);
        string name = (await catalog.RegisterAsync(job, 3, MakeAdapter(data), None)).Name;
        string merged = await catalog.ExportAsync(name, wantsAdapter: false, "test", None);

        Assert.Equal("hermes", ChatFormats.Create("auto", fixture.Model, Tokenizer.Load(fixture.Model)).Name);
        Assert.Equal("tool-n1", ChatFormats.Create("auto", merged, Tokenizer.Load(merged)).Name);
    }

    [Fact]
    public async Task Adapter_OfANewDatabaseUnderAnOldOnesName_IsMergedItself()
    {
        string data = Path.Combine(fixture.Folder, "renumbered");
        JobRecord job = TestStore.Job();
        using TrainingStore store = TestStore.Open(data, job);
        List<byte[]> weights = [];
        foreach (double b in new[] { 0.01, 0.02 })
        {
            // Numbers begin again, and with them names, while the folders are still there.
            store.Write(context => context.Models.ExecuteDelete());
            await using InferenceEngine engine = GrpoFixture.Start(fixture.Model);
            using ModelCatalog catalog = Catalog(store, engine, fixture.Model);
            string name = (await catalog.RegisterAsync(job, 3, MakeAdapter(data, b), None)).Name;
            weights.Add(await File.ReadAllBytesAsync(Path.Combine(await catalog.ExportAsync(name, wantsAdapter: false, "test", None), "model.safetensors"), None));
        }

        Assert.NotEqual(weights[0], weights[1]);
    }

    [Fact]
    public async Task Use_NameOfNoModel_IsRefused_WhateverIsInMemory()
    {
        string data = Path.Combine(fixture.Folder, "names");
        JobRecord job = TestStore.Job();
        using TrainingStore store = TestStore.Open(data, job);
        await using InferenceEngine engine = GrpoFixture.Start(fixture.Model);
        using ModelCatalog catalog = Catalog(store, engine, fixture.Model);
        string name = (await catalog.RegisterAsync(job, 3, MakeAdapter(data), None)).Name;
        using ModelUse merged = await catalog.UseWholeAsync(name, None);
        Assert.Equal(name, merged.Name);

        TrainingRefusedException refused = await Assert.ThrowsAsync<TrainingRefusedException>(() => catalog.UseAsync(name + " merged", None));
        Assert.True(refused.IsNotFound);
    }

    private string MakeAdapter(string data, double b = 0)
    {
        using IDisposable scope = NewDisposeScope();
        using LoraAdapter adapter = LoraAdapter.Create(ModelConfig.Load(fixture.Model), rank: 2, alpha: 4, LoraAdapter.ProjectionNames, seed: 1, CPU);
        foreach ((_, Tensor tensor) in adapter.NamedTensors.Where(item => item.Name.Contains("lora_B", StringComparison.Ordinal)))
        {
            tensor.fill_(b);
        }

        string made = Path.Combine(data, "made");
        PeftFolder.Write(made, adapter, LoraAdapter.ProjectionNames, "tiny");
        return made;
    }

    private static ModelCatalog Catalog(TrainingStore store, InferenceEngine engine, string folder) =>
        new(store, GrpoFixture.Served(engine, folder), engine.Host, [], Options.Create(new TrainingOptions()), TimeProvider.System, NullLoggerFactory.Instance);
}
