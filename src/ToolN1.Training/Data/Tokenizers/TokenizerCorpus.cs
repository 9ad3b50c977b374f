using ToolN1.Engine.Chat;

namespace ToolN1.Training.Data.Tokenizers;

/// <summary>Trains a tokenizer from files.</summary>
public static class TokenizerCorpus
{
    /// <summary>Trains on rows files (<c>.jsonl</c>: tools, messages and targets) and plain text files, for the Tool-N1 prompt.</summary>
    /// <param name="files">The corpus.</param>
    /// <param name="vocabularySize">Tokens in all.</param>
    /// <exception cref="TrainingDataException">A line of a rows file is not a row.</exception>
    public static ToolCallTokenizerFile Train(IEnumerable<string> files, int vocabularySize)
    {
        ToolCallTokenizerTrainer trainer = new();
        trainer.AddFixed(ToolN1Texts.Head);
        trainer.AddFixed(ToolN1Texts.BeforeTools);
        trainer.AddFixed(ToolN1Texts.AfterTools);
        foreach (string file in files)
        {
            if (Path.GetExtension(file) != ".jsonl")
            {
                foreach (string line in File.ReadLines(file))
                {
                    trainer.Add(line);
                }

                continue;
            }

            string tools = string.Empty;
            foreach (TrainingRow row in TrainingRowReader.Read(file))
            {
                // Rows of a group share their tools; counting them once a group is what a packed batch shows the model.
                string own = string.Join('\n', row.Tools.Select(tool => tool.FunctionJson));
                if (own != tools)
                {
                    trainer.Add(own);
                    tools = own;
                }

                foreach (ChatMessage message in row.Messages)
                {
                    trainer.Add(message.Content ?? string.Empty);
                }

                trainer.Add(row.Target);
            }
        }

        return trainer.Train(vocabularySize);
    }
}
