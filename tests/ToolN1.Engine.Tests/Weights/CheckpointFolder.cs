using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using ToolN1.TestSupport;

namespace ToolN1.Engine.Tests.Weights;

/// <summary>A copy of a fixture to damage; removed at the end.</summary>
internal sealed class CheckpointFolder : IDisposable
{
    public CheckpointFolder(string fixture = "qwen2-tiny")
    {
        Path = Directory.CreateTempSubdirectory("tooln1-checkpoint-").FullName;
        foreach (string file in Directory.GetFiles(System.IO.Path.Combine(TestPaths.Fixtures, fixture)))
        {
            System.IO.File.Copy(file, File(System.IO.Path.GetFileName(file)));
        }
    }

    public string Path { get; }

    public string Weights => File("model.safetensors");

    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Changes config.json.</summary>
    public void EditConfig(Action<JsonObject> edit) => EditJson("config.json", edit);

    /// <summary>Changes a JSON file.</summary>
    public void EditJson(string name, Action<JsonObject> edit)
    {
        JsonObject json = JsonNode.Parse(System.IO.File.ReadAllText(File(name)))!.AsObject();
        edit(json);
        System.IO.File.WriteAllText(File(name), json.ToJsonString());
    }

    /// <summary>Rewrites the header of model.safetensors, leaving the data as it is.</summary>
    public void EditHeader(Action<JsonObject> edit) => EditHeaderText(text =>
    {
        JsonObject json = JsonNode.Parse(text)!.AsObject();
        edit(json);
        return json.ToJsonString();
    });

    /// <summary>Rewrites the header of model.safetensors as text.</summary>
    public void EditHeaderText(Func<string, string> edit)
    {
        byte[] bytes = System.IO.File.ReadAllBytes(Weights);
        int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        byte[] header = Encoding.UTF8.GetBytes(edit(Encoding.UTF8.GetString(bytes, 8, length)));
        byte[] result = new byte[8 + header.Length + bytes.Length - 8 - length];
        BinaryPrimitives.WriteUInt64LittleEndian(result, (ulong)header.Length);
        header.CopyTo(result, 8);
        bytes.AsSpan(8 + length).CopyTo(result.AsSpan(8 + header.Length));
        System.IO.File.WriteAllBytes(Weights, result);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
