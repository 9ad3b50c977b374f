using ToolN1.Engine;
using ToolN1.Engine.Sampling;
using ToolN1.Engine.Tokenization;
using ToolN1.Training.Grpo;
using ToolN1.Training.Rewards;

namespace ToolN1.Training.Rollouts;

/// <summary>
/// Samples groups of responses from the serving engine, as any client's requests, and scores each on the reward pool as soon
/// as it ends, while the others still decode. A group's prompt is computed once and found in the prefix cache by the others.
/// </summary>
/// <param name="config">Group size, lengths, sampling.</param>
/// <param name="engine">The engine.</param>
/// <param name="tokenizer">The model's tokenizer.</param>
/// <param name="stopTokens">Ids that end a response beside the model's own.</param>
/// <param name="pool">Scores.</param>
internal sealed class RolloutSampler(GrpoConfig config, IInferenceEngine engine, Tokenizer tokenizer, IReadOnlyList<int> stopTokens, RewardPool pool)
{
    /// <summary>Responses asked for beyond those that run at once: enough that no place stays empty, few enough to leave the queue to others.</summary>
    private const int MaxWaiting = 112;

    /// <summary>Samples and scores.</summary>
    /// <param name="prompts">The prompts.</param>
    /// <param name="weightVersion">The policy's.</param>
    /// <param name="seed">With a prompt's place among the prompts and a response's in its group it seeds that response.</param>
    /// <param name="maxResponseTokens">Most tokens of a response.</param>
    /// <param name="generated">Told when a response has its last token, from any thread.</param>
    /// <param name="ended">Told when it is scored too.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="EngineFaultException">The engine failed.</exception>
    public async Task<RolloutGroup[]> SampleAsync(
        IReadOnlyList<PromptRow> prompts, string weightVersion, int seed, int maxResponseTokens, Action generated, Action ended, CancellationToken cancellationToken)
    {
        using SemaphoreSlim places = new(engine.Snapshot().MaxSequences + MaxWaiting);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<Rollout>[][] groups = [.. prompts.Select(_ => new Task<Rollout>[config.GroupSize])];
        for (int prompt = 0; prompt < prompts.Count; prompt++)
        {
            int promptSeed = Seeds.Combine(seed, prompt);
            for (int sample = 0; sample < config.GroupSize; sample++)
            {
                groups[prompt][sample] = OneAsync(prompts[prompt], Seeds.Combine(promptSeed, sample), $"{weightVersion}-{prompt}-{sample}");
            }
        }

        try
        {
            await Task.WhenAll(groups.SelectMany(group => group)).ConfigureAwait(false);
        }
        catch
        {
            // The first failure ends the others; none is left running.
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(groups.SelectMany(group => group)).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }

        return [.. prompts.Select((prompt, index) => new RolloutGroup(prompt, [.. groups[index].Select(task => task.Result)]))];

        async Task<Rollout> OneAsync(PromptRow prompt, int responseSeed, string id)
        {
            await places.WaitAsync(stop.Token).ConfigureAwait(false);
            try
            {
                Response response;
                try
                {
                    response = await SampleOneAsync(prompt, weightVersion, responseSeed, maxResponseTokens, id, stop.Token).ConfigureAwait(false);
                }
                finally
                {
                    // Its score is waited for elsewhere: a slow reward keeps nobody from decoding.
                    places.Release();
                }

                generated();
                string completion = tokenizer.Decode(response.Tokens, skipSpecial: false);
                RewardOutcome outcome = await pool.ScoreAsync(new RewardSample(completion, prompt.Row), stop.Token).ConfigureAwait(false);
                return new Rollout(response.Tokens, response.LogProbs, response.IsTruncated, weightVersion, completion, outcome);
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                await stop.CancelAsync().ConfigureAwait(false);
                throw;
            }
            finally
            {
                ended();
            }
        }
    }

    private async Task<Response> SampleOneAsync(PromptRow prompt, string weightVersion, int seed, int maxResponseTokens, string id, CancellationToken cancellationToken)
    {
        GenerationRequest request = new()
        {
            RequestId = id,
            PromptTokenIds = prompt.Prompt,
            MaxNewTokens = maxResponseTokens,
            WeightVersion = weightVersion,
            Priority = RequestPriority.Background,
            Sampling = new SamplingParameters
            {
                Temperature = (float)config.Sampling.Temperature,
                TopP = (float)config.Sampling.TopP,
                TopK = config.Sampling.TopK,
                Seed = seed,
                StopTokenIds = stopTokens,
                TopLogProbs = 0,
                TemperedLogProbs = true,
            },
        };
        List<int> tokens = [];
        List<float> logProbs = [];
        GenerationUpdate? last = null;
        await foreach (GenerationUpdate update in (await engine.QueueAsync(request, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false))
        {
            tokens.AddRange(update.TokenIds);
            logProbs.AddRange(update.LogProbs!.Select(item => item.LogProb));
            last = update;
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (tokens.Count == 0 || tokens.Count != logProbs.Count || last!.WeightVersion != weightVersion)
        {
            throw new EngineFaultException($"The engine gave {tokens.Count} tokens with {logProbs.Count} log-probabilities of version '{last?.WeightVersion}' where '{weightVersion}' was asked for.");
        }

        return new Response([.. tokens], [.. logProbs], last.FinishReason == FinishReason.Length);
    }

    /// <summary>What the engine gave.</summary>
    private sealed record Response(int[] Tokens, float[] LogProbs, bool IsTruncated);
}
