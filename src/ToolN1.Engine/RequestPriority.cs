namespace ToolN1.Engine;

/// <summary>Whose turn it is when the device cannot serve all.</summary>
public enum RequestPriority
{
    /// <summary>Somebody waits for the answer.</summary>
    Live,

    /// <summary>
    /// Work that can wait, such as evaluations: it starts only where no live request could, gives up its place and its
    /// cache blocks to a live one, and never keeps one out of the queue.
    /// </summary>
    Background,
}
