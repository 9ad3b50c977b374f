namespace ToolN1.Fuzz;

/// <summary>Code that reads what strangers write. It may refuse an input in its documented way; anything else is a bug.</summary>
public interface IFuzzTarget
{
    /// <summary>The name on the command line and of the corpus folder.</summary>
    string Name { get; }

    /// <summary>Pieces that inputs of this kind are made of, for mutations.</summary>
    IReadOnlyList<string> Dictionary { get; }

    /// <summary>Reads an input.</summary>
    /// <exception cref="Exception">Any: the input found a bug.</exception>
    void Run(ReadOnlySpan<byte> input);
}
