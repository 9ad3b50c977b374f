using System.Threading.Channels;
using ToolN1.Engine.Scheduling;

namespace ToolN1.Engine.Execution;

/// <summary>A request in flight: its sequence and the channel its updates go to.</summary>
internal sealed class RequestState
{
    /// <summary>Creates the state of a request that was just accepted.</summary>
    public RequestState(Sequence sequence)
    {
        Sequence = sequence;

        // One update a token and one more when there are none: the engine can always write, however slow the reader is.
        Output = Channel.CreateBounded<GenerationUpdate>(
            new BoundedChannelOptions(sequence.Request.MaxNewTokens + 1) { SingleReader = true, SingleWriter = true });
    }

    /// <summary>Tokens and blocks; touched by the engine's thread only.</summary>
    public Sequence Sequence { get; }

    /// <summary>Updates on their way to the caller.</summary>
    public Channel<GenerationUpdate> Output { get; }

    /// <summary>Still counted as queued: it has not run yet. Engine's thread only.</summary>
    public bool IsQueued { get; set; } = true;

    /// <summary>Ended, by whatever reason. Engine's thread only.</summary>
    public bool HasEnded { get; set; }

    /// <summary>Set once updates were written. Engine's thread only.</summary>
    public bool HasReported { get; set; }
}
