using SharpFuzz;
using ToolN1.Fuzz;

// ToolN1.Fuzz TARGET             reads inputs from afl-fuzz; docs/fuzzing.md has the commands
// ToolN1.Fuzz TARGET --libfuzzer the same for libFuzzer
// ToolN1.Fuzz TARGET FILE…       runs single inputs, to reproduce a finding
// ToolN1.Fuzz TARGET --mutate N [SEED]   runs N mutations of the corpus without a fuzzer
if (args.FirstOrDefault() is not string name || !FuzzTargets.Names.Contains(name))
{
    Console.Error.WriteLine("Usage: ToolN1.Fuzz TARGET [--libfuzzer | --mutate N [SEED] | FILE…]; targets: " + string.Join(", ", FuzzTargets.Names));
    return 2;
}

// Made at the first input: a fuzzer's instrumented code must not run before the fuzzer does.
Lazy<IFuzzTarget> target = new(() => FuzzTargets.Create(name));
switch (args.ElementAtOrDefault(1))
{
    case null:
        Fuzzer.OutOfProcess.Run(stream =>
        {
            using MemoryStream input = new();
            stream.CopyTo(input);
            target.Value.Run(input.ToArray());
        });
        return 0;
    case "--libfuzzer":
        Fuzzer.LibFuzzer.Run(input => target.Value.Run(input));
        return 0;
    case "--mutate":
        int count = int.Parse(args[2]), seed = args.Length > 3 ? int.Parse(args[3]) : Environment.TickCount;
        Mutator mutator = new(FuzzTargets.Corpus(target.Value), target.Value.Dictionary, seed);
        for (int i = 0; i < count; i++)
        {
            byte[] input = mutator.Next();
            try
            {
                target.Value.Run(input);
            }
            catch
            {
                string file = $"finding-{name}-{seed}-{i}";
                File.WriteAllBytes(file, input);
                Console.Error.WriteLine($"Seed {seed}, input {i}: {file}");
                throw;
            }
        }

        Console.WriteLine($"{count} inputs of {name} from seed {seed}: nothing found");
        return 0;
    default:
        foreach (string file in args.Skip(1))
        {
            target.Value.Run(File.ReadAllBytes(file));
        }

        return 0;
}
