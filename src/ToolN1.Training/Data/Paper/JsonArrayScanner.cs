using System.Text;

namespace ToolN1.Training.Data.Paper;

/// <summary>
/// Cuts the text of a JSON array into its items, one at a time, and knows each one's line. Holds one item, whatever the
/// file's size. It follows brackets and strings only: whether an item is JSON is for its parser to say.
/// </summary>
/// <param name="text">The file.</param>
/// <param name="file">Named in errors.</param>
internal sealed class JsonArrayScanner(TextReader text, string file)
{
    /// <summary>Characters of an item; a longer one is a file that is no list of examples.</summary>
    private const int MaxItemLength = 64 * 1024 * 1024;

    private readonly char[] _buffer = new char[64 * 1024];
    private readonly StringBuilder _item = new();
    private int _at;
    private int _count;
    private int _line = 1;
    private bool _begun;
    private bool _ended;

    /// <summary>The next item and the line it begins at; null after the last.</summary>
    /// <exception cref="TrainingDataException">The text is no array, or ends within an item.</exception>
    public async ValueTask<(int Line, string Item)?> NextAsync(CancellationToken cancellationToken)
    {
        if (!_begun)
        {
            _begun = true;
            if (await SkipSpaceAsync(cancellationToken).ConfigureAwait(false) != '[')
            {
                throw Error("the file is not a JSON array of items");
            }

            await TakeAsync(cancellationToken).ConfigureAwait(false);
        }

        // 1. Where the item begins.
        int first = await SkipSpaceAsync(cancellationToken).ConfigureAwait(false);
        if (_ended || first == ']')
        {
            return await EndAsync(cancellationToken).ConfigureAwait(false);
        }

        if (first < 0)
        {
            throw Error("the array has no end");
        }

        // 2. Up to the comma or bracket that ends it.
        int line = _line;
        int depth = 0;
        bool inString = false, escaped = false;
        _item.Clear();
        while (true)
        {
            int c = await PeekAsync(cancellationToken).ConfigureAwait(false);
            if (c < 0)
            {
                throw Error($"the file ends within the item that begins at line {line}");
            }

            if (!inString && depth == 0 && c is ',' or ']')
            {
                break;
            }

            if (_item.Length == MaxItemLength)
            {
                throw Error($"the item that begins at line {line} is longer than {MaxItemLength} characters");
            }

            _item.Append((char)await TakeAsync(cancellationToken).ConfigureAwait(false));
            (inString, escaped) = inString ? (escaped || c != '"', !escaped && c == '\\') : (c == '"', false);
            depth += inString ? 0 : c switch { '{' or '[' => 1, '}' or ']' => -1, _ => 0 };
        }

        // 3. The comma behind it; the bracket is left for the next call.
        if (await PeekAsync(cancellationToken).ConfigureAwait(false) == ',')
        {
            await TakeAsync(cancellationToken).ConfigureAwait(false);
        }

        return (line, _item.ToString());
    }

    private async ValueTask<(int Line, string Item)?> EndAsync(CancellationToken cancellationToken)
    {
        if (!_ended)
        {
            await TakeAsync(cancellationToken).ConfigureAwait(false);
            _ended = true;
        }

        return await SkipSpaceAsync(cancellationToken).ConfigureAwait(false) < 0 ? null : throw Error("text after the array");
    }

    private async ValueTask<int> SkipSpaceAsync(CancellationToken cancellationToken)
    {
        int c;
        while ((c = await PeekAsync(cancellationToken).ConfigureAwait(false)) is ' ' or '\t' or '\r' or '\n' or '\uFEFF')
        {
            await TakeAsync(cancellationToken).ConfigureAwait(false);
        }

        return c;
    }

    private async ValueTask<int> PeekAsync(CancellationToken cancellationToken)
    {
        if (_at == _count)
        {
            _at = 0;
            _count = await text.ReadAsync(_buffer, cancellationToken).ConfigureAwait(false);
        }

        return _at == _count ? -1 : _buffer[_at];
    }

    private async ValueTask<int> TakeAsync(CancellationToken cancellationToken)
    {
        int c = await PeekAsync(cancellationToken).ConfigureAwait(false);
        _at++;
        _line += c == '\n' ? 1 : 0;
        return c;
    }

    private TrainingDataException Error(string reason) => new(file, _line, reason);
}
