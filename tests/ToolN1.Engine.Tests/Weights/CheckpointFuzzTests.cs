using System.Text;
using CsCheck;
using ToolN1.Engine.Model;
using ToolN1.Engine.Weights;

namespace ToolN1.Engine.Tests.Weights;

/// <summary>Damaged files never cause anything but the documented exception.</summary>
public sealed class CheckpointFuzzTests
{
    [Fact]
    public void Open_RandomBytesAsSafetensors_ThrowsNothingElse()
    {
        using CheckpointFolder folder = new();
        Gen.Byte.Array[0, 200].Sample(
            bytes =>
            {
                File.WriteAllBytes(folder.Weights, bytes);
                OpensOrIsRefused(folder);
            },
            iter: 300,
            threads: 1);
    }

    [Fact]
    public void Open_MutatedHeader_ThrowsNothingElse()
    {
        using CheckpointFolder folder = new();
        byte[] whole = File.ReadAllBytes(folder.Weights);
        Gen.Select(Gen.Int[0, 2500], Gen.Byte).Array[1, 4].Sample(
            changes =>
            {
                byte[] bytes = [.. whole];
                foreach ((int position, byte value) in changes)
                {
                    bytes[position] = value;
                }

                File.WriteAllBytes(folder.Weights, bytes);
                OpensOrIsRefused(folder);
            },
            iter: 200,
            threads: 1);
    }

    [Fact]
    public void Load_NameThatIsHalfASurrogatePair_IsRefused()
    {
        using CheckpointFolder folder = new("llama3-tiny");
        string whole = File.ReadAllText(folder.File("config.json"));
        File.WriteAllText(folder.File("config.json"), "{\"\\ud800\": 1, " + whole.TrimStart()[1..]);
        Assert.Contains("is not valid JSON", Assert.Throws<CheckpointException>(() => ModelConfig.Load(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_MutatedConfig_ThrowsNothingElse()
    {
        using CheckpointFolder folder = new("llama3-tiny");
        string whole = File.ReadAllText(folder.File("config.json"));
        string[] pieces = ["null", "-1", "1e999", "\"\"", "[]", "{}", "true", "\"\\ud800\"", "18446744073709551616", ",", "}"];
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Int[0, 12], Gen.Int[0, pieces.Length - 1]).Sample(
            change =>
            {
                (int start, int length, int piece) = change;
                string text = whole[..start] + pieces[piece] + whole[Math.Min(whole.Length, start + length)..];
                File.WriteAllText(folder.File("config.json"), text, new UTF8Encoding(false));
                OpensOrIsRefused(folder);
            },
            iter: 500,
            threads: 1);
    }

    private static void OpensOrIsRefused(CheckpointFolder folder)
    {
        try
        {
            Checkpoint.Open(folder.Path).Dispose();
        }
        catch (CheckpointException error)
        {
            Assert.StartsWith(folder.Path, error.Message, StringComparison.Ordinal);
        }
    }
}
