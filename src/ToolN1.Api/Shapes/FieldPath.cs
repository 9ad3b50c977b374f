using System.Globalization;

namespace ToolN1.Api.Shapes;

/// <summary>Where in a request a value stands; becomes text (<c>messages[2].content</c>) only when an error needs it.</summary>
internal sealed class FieldPath
{
    private readonly FieldPath? _parent;
    private readonly string? _name;
    private readonly int _index;

    private FieldPath(FieldPath? parent, string? name, int index) => (_parent, _name, _index) = (parent, name, index);

    /// <summary>The request itself.</summary>
    public static FieldPath Root { get; } = new(null, null, 0);

    /// <summary>A field of the object here.</summary>
    public FieldPath Field(string name) => new(this, name, 0);

    /// <summary>An element of the array here.</summary>
    public FieldPath Item(int index) => new(this, null, index);

    /// <summary>The path, or null at the root (OpenAI's <c>param</c>).</summary>
    public string? ToParam() => _parent is null ? null : ToString();

    /// <inheritdoc/>
    public override string ToString()
    {
        if (_parent is null)
        {
            return "";
        }

        string parent = _parent.ToString();
        return _name is null
            ? parent + "[" + _index.ToString(CultureInfo.InvariantCulture) + "]"
            : parent.Length == 0 ? _name : parent + "." + _name;
    }
}
