using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using ToolN1.Engine.Chat;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Engine.Tokenization;
using ToolN1.Engine.Weights;
using ToolN1.Training.Checkpoints;
using ToolN1.Training.Hosting;
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
        using TrainingStore store = Store(data);
        JobRecord job = AddJob(store);

        // 1. An adapter of the served model, served after a restart too.
        string name;
        await using (InferenceEngine engine = Start(fixture.Model))
        {
            using ModelCatalog catalog = Catalog(store, engine, fixture.Model);
            name = (await catalog.RegisterAsync(job, 3, MakeAdapter(data), None)).Name;
        }

        await using (InferenceEngine engine = Start(fixture.Model))
        {
            using ModelCatalog catalog = Catalog(store, engine, fixture.Model);
            using ModelUse use = await catalog.UseAsync(name, None);
            Assert.Contains(use.WeightVersion, engine.Host.Versions);
        }

        // 2. Other files under the model's name.
        await using InferenceEngine other = Start(fixture.OtherModel);
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
        using TrainingStore store = Store(data);
        JobRecord job = AddJob(store);
        await using InferenceEngine engine = Start(fixture.Model);
        using ModelCatalog catalog = Catalog(store, engine, fixture.Model);
        string name = (await catalog.RegisterAsync(job, 3, MakeAdapter(data), None)).Name;
        string merged = await catalog.ExportAsync(name, wantsAdapter: false, "test", None);

        Assert.Equal("hermes", ChatFormats.Create("auto", fixture.Model, Tokenizer.Load(fixture.Model)).Name);
        Assert.Equal("tool-n1", ChatFormats.Create("auto", merged, Tokenizer.Load(merged)).Name);
    }

    private static TrainingStore Store(string data)
    {
        TrainingStore store = new(Options.Create(new TrainingOptions()), Options.Create(new DataOptions { DataDirectory = data }), TimeProvider.System);
        store.Open();
        return store;
    }

    private static JobRecord AddJob(TrainingStore store)
    {
        JobRecord job = new()
        {
            Id = "job",
            Number = 1,
            Status = JobStatus.Running,
            Wish = JobWish.Run,
            Model = "tiny",
            StartModel = ModelNames.First("tiny"),
            Method = "reinforcement",
            Settings = "{}",
            TrainingFile = "file",
            DataHash = "hash",
            Seed = 1,
            Metadata = "{}",
            CreatedAt = 0,
        };
        store.Write(context => context.Jobs.Add(job));
        return job;
    }

    private string MakeAdapter(string data)
    {
        using LoraAdapter adapter = LoraAdapter.Create(ModelConfig.Load(fixture.Model), rank: 2, alpha: 4, LoraAdapter.ProjectionNames, seed: 1, CPU);
        string made = Path.Combine(data, "made");
        PeftFolder.Write(made, adapter, LoraAdapter.ProjectionNames, "tiny");
        return made;
    }

    private static InferenceEngine Start(string folder)
    {
        Decoder decoder = CheckpointLoader.Load(folder, CPU, ScalarType.Float32);
        return InferenceEngine.Start(decoder, InferenceEngine.Describe(decoder, "tiny"), new EngineOptions { MaxModelLength = 512, KvCacheMiB = 16 });
    }

    private static ModelCatalog Catalog(TrainingStore store, InferenceEngine engine, string folder)
    {
        Tokenizer tokenizer = Tokenizer.Load(folder);
        ServedModel served = new(engine.Model, tokenizer, ChatFormats.Create("tool-n1", folder, tokenizer), folder, DateTimeOffset.UnixEpoch) { Device = "cpu", DType = "float32" };
        return new ModelCatalog(store, served, engine.Host, [], Options.Create(new TrainingOptions()), TimeProvider.System, NullLoggerFactory.Instance);
    }
}
