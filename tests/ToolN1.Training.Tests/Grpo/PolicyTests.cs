using ToolN1.Engine.Execution;
using ToolN1.Engine.Hosting;
using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;
using ToolN1.Training.Grpo;
using TorchSharp;
using static TorchSharp.torch;

namespace ToolN1.Training.Tests.Grpo;

/// <summary>What an adapter is trained over, on an engine whose weights lie in memory as they were read: our kernels do not take heads of 24.</summary>
public sealed class PolicyTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tooln1-policy-").FullName;
    private InferenceEngine _engine = null!;

    private static CancellationToken None => TestContext.Current.CancellationToken;

    private string First => Path.Combine(_folder, "first");

    private string Other => Path.Combine(_folder, "other");

    public ValueTask InitializeAsync()
    {
        Write(First, seed: 3);
        Write(Other, seed: 4);
        Decoder decoder = CheckpointLoader.Load(First, CPU, ScalarType.Float32);
        _engine = InferenceEngine.Start(decoder, InferenceEngine.Describe(decoder, "tiny"), new EngineOptions { MaxModelLength = 64, KvCacheMiB = 4 });
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Create_FolderOfOtherWeightsThanTheLeases_IsRefusedAndNeverTrainsOnThese()
    {
        await using ModelLease lease = _engine.Host.Lease("work", 0.5);
        Assert.NotNull(lease.BaseWeights);

        InvalidOperationException refused = await Assert.ThrowsAsync<InvalidOperationException>(() => lease.TurnAsync(() => Policy.Create(Adapter(Other), lease, startVersion: null).Dispose(), None));
        Assert.Contains(lease.BaseVersion, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_AdapterThatCannotBeMade_FreesItsBase()
    {
        await using ModelLease lease = _engine.Host.Lease("work", 0.5);
        GrpoConfig impossible = Adapter(First) with { Lora = new GrpoLora { Targets = null! } };
        await lease.TurnAsync(
            () =>
            {
                long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
                Assert.ThrowsAny<Exception>(() => Policy.Create(impossible, lease, startVersion: null));
                Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
            },
            None);
    }

    [Fact]
    public async Task Create_LeaseOverWeightsThatAreNotLive_TrainsOverThese()
    {
        string version = await _engine.Host.LoadAsync(Other, None);
        await using ModelLease lease = _engine.Host.Lease("work", 0.5, version);
        using Decoder expected = CheckpointLoader.Load(Other, CPU, ScalarType.Float32);
        await lease.TurnAsync(() => AssertTrainsOver(expected, Adapter(Other), lease, version), None);
    }

    [Fact]
    public async Task Create_LeaseOverTheFirstWeights_SharesThem_WhateverIsLive()
    {
        string first = _engine.Host.LiveVersion;
        await _engine.Host.PromoteAsync(await _engine.Host.LoadAsync(Other, None), None);
        await using ModelLease lease = _engine.Host.Lease("work", 0.5, first);
        Assert.NotNull(lease.BaseWeights);
        using Decoder expected = CheckpointLoader.Load(First, CPU, ScalarType.Float32);

        // No folder is read.
        await lease.TurnAsync(() => AssertTrainsOver(expected, Adapter(Path.Combine(_folder, "nowhere")), lease, first), None);
    }

    private static void AssertTrainsOver(Decoder expected, GrpoConfig config, ModelLease lease, string version)
    {
        using IDisposable scope = NewDisposeScope();
        using Policy policy = Policy.Create(config, lease, version);
        Assert.Equal(version, policy.Decoder.WeightVersion);
        Assert.True(policy.Decoder.Embedding.allclose(expected.Embedding, 0, 0));
    }

    private static GrpoConfig Adapter(string model) => new() { Output = "-", Model = model, Data = [], DType = "float32", Lora = new GrpoLora { Rank = 2 } };

    private static void Write(string folder, int seed) => RandomCheckpoint.Write(
        new ModelConfig
        {
            Architecture = ModelArchitecture.Qwen2,
            HiddenSize = 32,
            IntermediateSize = 48,
            Layers = 1,
            Heads = 2,
            KeyValueHeads = 1,
            HeadDim = 24,
            VocabularySize = 64,
            RmsNormEpsilon = 1e-6,
            RopeTheta = 10000,
            MaxPositionEmbeddings = 64,
            TieWordEmbeddings = true,
            QkvBias = true,
            QkNorm = false,
            DeclaredDType = "float32",
        },
        folder,
        seed,
        ScalarType.Float32);
}
