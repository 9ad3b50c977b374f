using System.Text;

namespace ToolN1.Fuzz;

/// <summary>Seeded mutations of a corpus: the same seed makes the same inputs on every machine.</summary>
public sealed class Mutator(IReadOnlyList<byte[]> corpus, IReadOnlyList<string> dictionary, int seed)
{
    private const int MaxLength = 1 << 16;

    // What breaks readers of JSON and of text, whatever the format.
    private static readonly string[] Common =
    [
        "null", "true", "-1", "0", "1e999", "-0.0", "18446744073709551616", "9223372036854775807", "1e-400", "\"\"", "\"\\ud800\"", "\\u0000", "[]", "{}", "[[", "{\"a\":", ",", "}", "]", "\"", "\\",
        "\0", "\ufeff", "\u202e", "😀", "\n",
    ];

    private readonly byte[][] _pieces = [.. Common.Concat(dictionary).Select(Encoding.UTF8.GetBytes)];
#pragma warning disable CA5394 // Not for secrets: the inputs must come again.
    private readonly Random _random = new(seed);

    /// <summary>The next input.</summary>
    public byte[] Next()
    {
        List<byte> bytes = [.. Pick(corpus)];
        for (int changes = _random.Next(1, 6); changes > 0; changes--)
        {
            int at = _random.Next(bytes.Count + 1);
            int length = Math.Min(bytes.Count - at, _random.Next(1, 1 + _random.Next(1, 64)));
            switch (_random.Next(7))
            {
                case 0 when length > 0:
                    bytes[at] ^= (byte)(1 << _random.Next(8));
                    break;
                case 1 when length > 0:
                    bytes[at] = (byte)_random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, length);
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                case 4:
                    bytes.InsertRange(at, Pick(_pieces));
                    break;
                case 5:
                    bytes.RemoveRange(at, length);
                    bytes.InsertRange(at, Pick(_pieces));
                    break;
                default:
                    // The end of another input.
                    byte[] other = Pick(corpus);
                    int from = _random.Next(other.Length + 1);
                    bytes.RemoveRange(at, bytes.Count - at);
                    bytes.AddRange(other.AsSpan(from));
                    break;
            }
        }

        return [.. bytes.Take(MaxLength)];
    }

    private byte[] Pick(IReadOnlyList<byte[]> list) => list[_random.Next(list.Count)];
#pragma warning restore CA5394
}
