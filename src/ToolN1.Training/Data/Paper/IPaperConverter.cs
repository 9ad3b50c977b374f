using System.Text.Json;

namespace ToolN1.Training.Data.Paper;

/// <summary>Turns the items of one published dataset into training rows.</summary>
public interface IPaperConverter
{
    /// <summary>The kind of an item, as the paper's Table 1 counts them: <c>xlam</c>, <c>toolace-single</c> or <c>toolace-multi</c>.</summary>
    string KindOf(JsonElement item);

    /// <summary>The examples of an item.</summary>
    IEnumerable<PaperExample> Convert(JsonElement item);
}
