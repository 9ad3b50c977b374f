using ToolN1.Training.Data.Synthetic;

namespace ToolN1.Training.Data.Paper;

/// <summary>
/// Finds rows whose request and answer nearly repeat an earlier row's: MinHash over runs of three words, with bands to find
/// candidates and the signatures' agreement, an estimate of the Jaccard similarity, to judge them. Holds about 350 bytes for
/// every row that is kept, which is the one thing here that grows with the data.
/// </summary>
/// <param name="threshold">Similarity from which a row is a duplicate, in (0, 1].</param>
/// <remarks>A. Broder, On the resemblance and containment of documents, SEQUENCES 1997.</remarks>
internal sealed class NearDuplicates(double threshold)
{
    private const int Bands = 8;
    private const int RowsInBand = 4;
    private const int Hashes = Bands * RowsInBand;
    private const int Run = 3;

    private readonly Dictionary<ulong, int>[] _bands = [.. Enumerable.Range(0, Bands).Select(_ => new Dictionary<ulong, int>())];
    private readonly List<uint[]> _signatures = [];

    /// <summary>True when an earlier row is nearly the same; else this one is remembered.</summary>
    public bool Contains(TrainingRow row)
    {
        uint[] signature = Sign(TextWords.Split(row.Messages[^1].Content + "\n" + row.AnswerJson));
        ulong[] keys = new ulong[Bands];
        for (int band = 0; band < Bands; band++)
        {
            keys[band] = SeededRandom.Hash(string.Join(',', signature.AsSpan(band * RowsInBand, RowsInBand).ToArray()));
            if (_bands[band].TryGetValue(keys[band], out int earlier) && Agreement(signature, _signatures[earlier]) >= threshold)
            {
                return true;
            }
        }

        for (int band = 0; band < Bands; band++)
        {
            _bands[band].TryAdd(keys[band], _signatures.Count);
        }

        _signatures.Add(signature);
        return false;
    }

    private static uint[] Sign(List<string> words)
    {
        uint[] signature = new uint[Hashes];
        Array.Fill(signature, uint.MaxValue);
        for (int at = 0; at == 0 || at + Run <= words.Count; at++)
        {
            SeededRandom random = new(SeededRandom.Hash(TextWords.Join(words, at, Math.Min(Run, words.Count))));
            for (int i = 0; i < Hashes; i++)
            {
                signature[i] = Math.Min(signature[i], (uint)(random.Next() >> 32));
            }
        }

        return signature;
    }

    private static double Agreement(uint[] a, uint[] b)
    {
        int same = 0;
        for (int i = 0; i < Hashes; i++)
        {
            same += a[i] == b[i] ? 1 : 0;
        }

        return same / (double)Hashes;
    }
}
