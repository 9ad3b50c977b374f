namespace ToolN1.Training.Jobs;

/// <summary>Some items of a list.</summary>
/// <param name="Items">The items.</param>
/// <param name="HasMore">Whether others follow.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, bool HasMore)
{
    /// <summary>Cuts the item that only tells that more follow.</summary>
    /// <param name="items">Up to one more than the limit.</param>
    /// <param name="limit">Most items of a page.</param>
    internal static Page<T> Of(List<T> items, int limit) => new(items.Count > limit ? items[..limit] : items, items.Count > limit);
}
