namespace ToolN1.Training.Data.Synthetic;

/// <summary>Which side of the fence a value, a name or a domain is on.</summary>
internal enum DataSplit
{
    /// <summary>May be trained on.</summary>
    Train,

    /// <summary>Only in held-out sets.</summary>
    HeldOut,
}
