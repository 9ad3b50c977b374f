namespace ToolN1.Training;

/// <summary>Where in its data a run is. Saved with checkpoints.</summary>
internal sealed class DataCursor
{
    /// <summary>Passes completed.</summary>
    public int Epoch { get; set; }

    /// <summary>Rows or groups taken of this pass.</summary>
    public int Position { get; set; }
}
