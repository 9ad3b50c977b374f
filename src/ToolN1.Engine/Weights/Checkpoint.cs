using System.Text.Json;
using ToolN1.Engine.Model;
using static TorchSharp.torch;

namespace ToolN1.Engine.Weights;

/// <summary>
/// An opened Hugging Face folder whose tensors have been checked by name and shape against its config: nothing missing,
/// nothing surplus, nothing mis-shaped. Holds its files open until disposed.
/// </summary>
/// <remarks>
/// Two surplus tensors are accepted knowingly: rotary frequencies (they follow from the config), and an
/// <c>lm_head.weight</c> beside tied embeddings if it equals the embedding byte for byte (some exporters write it twice);
/// a different one contradicts the config and is an error.
/// </remarks>
public sealed class Checkpoint : IDisposable
{
    /// <summary>Name of a single-file checkpoint.</summary>
    public const string SingleFileName = "model.safetensors";

    /// <summary>Name of a sharded checkpoint's index.</summary>
    public const string IndexFileName = "model.safetensors.index.json";

    private readonly List<SafetensorsFile> _files;
    private readonly Dictionary<string, (SafetensorsFile File, SafetensorsEntry Entry)> _tensors = new(StringComparer.Ordinal);

    private Checkpoint(string folder, ModelConfig config, List<SafetensorsFile> files)
    {
        Folder = folder;
        Config = config;
        _files = files;
    }

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>Its config.</summary>
    public ModelConfig Config { get; }

    /// <summary>The tensors under their canonical names, in the order of <see cref="ModelTensors.Enumerate"/>.</summary>
    public IEnumerable<(string Name, SafetensorsEntry Entry)> Tensors =>
        ModelTensors.Enumerate(Config).Select(expected => (expected.Name, _tensors[expected.Name].Entry));

    /// <summary>Opens a folder and checks every name and shape, before any weight is read.</summary>
    /// <param name="folder">A Hugging Face folder with config.json and model.safetensors or its index.</param>
    /// <exception cref="CheckpointException">Names the file and the field or tensor at fault.</exception>
    public static Checkpoint Open(string folder)
    {
        ModelConfig config = ModelConfig.Load(folder);
        List<SafetensorsFile> files = [];
        Checkpoint checkpoint = new(folder, config, files);
        try
        {
            // A single file wins over an index, as in transformers.
            string single = Path.Combine(folder, SingleFileName);
            if (File.Exists(single))
            {
                files.Add(SafetensorsFile.Open(single));
            }
            else
            {
                OpenShards(folder, files);
            }

            checkpoint.CheckTensors();
            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Reads one tensor into its destination.</summary>
    /// <param name="name">Canonical name.</param>
    /// <param name="destination">Contiguous, of the tensor's shape; any floating dtype and device.</param>
    /// <param name="hash">If given, fed with the tensor's identity and bytes.</param>
    public void ReadInto(string name, Tensor destination, WeightVersionHash? hash = null)
    {
        (SafetensorsFile file, SafetensorsEntry entry) = _tensors[name];
        hash?.Begin(name, entry);
        file.ReadInto(entry, destination, hash?.Hash);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SafetensorsFile file in _files)
        {
            file.Dispose();
        }
    }

    private static void OpenShards(string folder, List<SafetensorsFile> files)
    {
        string index = Path.Combine(folder, IndexFileName);
        if (!File.Exists(index))
        {
            throw new CheckpointException(folder, $"holds neither {SingleFileName} nor {IndexFileName}.");
        }

        using JsonDocument document = JsonFields.Open(index);
        JsonElement map = new JsonFields(index, "", document.RootElement).Raw("weight_map", JsonValueKind.Object);
        Dictionary<string, HashSet<string>> namesByFile = new(StringComparer.Ordinal);
        foreach (JsonProperty property in map.EnumerateObject())
        {
            (string tensor, string fileName) = IndexEntry(index, property);
            if (!namesByFile.TryGetValue(fileName, out HashSet<string>? names))
            {
                namesByFile.Add(fileName, names = new HashSet<string>(StringComparer.Ordinal));
            }

            names.Add(tensor);
        }

        foreach ((string fileName, HashSet<string> names) in namesByFile.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder, fileName));
            files.Add(file);
            if (names.FirstOrDefault(name => file.Find(name) is null) is string absent)
            {
                throw new CheckpointException(file.Path, $"lacks tensor '{absent}', which {IndexFileName} says it holds.");
            }

            if (file.Entries.FirstOrDefault(entry => !names.Contains(entry.Name)) is SafetensorsEntry surplus)
            {
                throw new CheckpointException(file.Path, $"holds tensor '{surplus.Name}', which {IndexFileName} does not place there.");
            }
        }
    }

    private static (string Tensor, string File) IndexEntry(string index, JsonProperty property)
    {
        try
        {
            string tensor = property.Name;
            string? file = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString() : null;

            // A shard lies beside its index: a name with a path could reach anywhere.
            return !string.IsNullOrEmpty(file) && file == Path.GetFileName(file) && file is not ("." or "..") && !file.Contains('\0', StringComparison.Ordinal)
                ? (tensor, file)
                : throw new CheckpointException(index, $"field 'weight_map': tensor '{tensor}' is not mapped to a file name.");
        }
        catch (InvalidOperationException error)
        {
            throw new CheckpointException(index, "field 'weight_map': holds a name that is not valid text.", error);
        }
    }

    private void CheckTensors()
    {
        // 1. Index what the files hold under canonical names.
        foreach (SafetensorsFile file in _files)
        {
            foreach (SafetensorsEntry entry in file.Entries.Where(entry => !TensorNames.IsDerived(entry.Name)))
            {
                if (!_tensors.TryAdd(TensorNames.Canonical(entry.Name), (file, entry)))
                {
                    throw new CheckpointException(file.Path, $"tensor '{entry.Name}' occurs twice in the checkpoint.");
                }
            }
        }

        // 2. Nothing missing, nothing mis-shaped.
        HashSet<string> expectedNames = new(StringComparer.Ordinal);
        string firstFile = _files.Count == 1 ? _files[0].Path : Folder;
        foreach ((string name, long[] shape) in ModelTensors.Enumerate(Config))
        {
            expectedNames.Add(name);
            if (!_tensors.TryGetValue(name, out (SafetensorsFile File, SafetensorsEntry Entry) found))
            {
                throw new CheckpointException(firstFile, $"tensor '{name}' is missing.");
            }

            if (!found.Entry.Shape.SequenceEqual(shape))
            {
                throw new CheckpointException(found.File.Path, $"tensor '{found.Entry.Name}' is [{string.Join(", ", found.Entry.Shape)}]; config.json implies [{string.Join(", ", shape)}].");
            }
        }

        // 3. Nothing surplus, but for an equal copy of tied embeddings.
        foreach ((string name, (SafetensorsFile file, SafetensorsEntry entry)) in _tensors)
        {
            if (expectedNames.Contains(name))
            {
                continue;
            }

            if (name != ModelTensors.OutputHead || !Config.TieWordEmbeddings)
            {
                throw new CheckpointException(file.Path, $"tensor '{entry.Name}' is surplus: the architecture of config.json has no place for it.");
            }

            (SafetensorsFile embeddingFile, SafetensorsEntry embedding) = _tensors[ModelTensors.Embedding];
            if (!SameBytes(file, entry, embeddingFile, embedding))
            {
                throw new CheckpointException(file.Path, $"tensor '{entry.Name}' differs from '{embedding.Name}', but config.json says tie_word_embeddings.");
            }
        }
    }

    private static bool SameBytes(SafetensorsFile leftFile, SafetensorsEntry left, SafetensorsFile rightFile, SafetensorsEntry right)
    {
        if (left.DType != right.DType || !left.Shape.SequenceEqual(right.Shape))
        {
            return false;
        }

        byte[] leftBytes = new byte[1 << 20];
        byte[] rightBytes = new byte[1 << 20];
        for (long start = 0; start < left.ByteCount; start += leftBytes.Length)
        {
            int count = (int)Math.Min(leftBytes.Length, left.ByteCount - start);
            leftFile.ReadPiece(left, left.Offset + start, leftBytes.AsSpan(0, count), null);
            rightFile.ReadPiece(right, right.Offset + start, rightBytes.AsSpan(0, count), null);
            if (!leftBytes.AsSpan(0, count).SequenceEqual(rightBytes.AsSpan(0, count)))
            {
                return false;
            }
        }

        return true;
    }
}
