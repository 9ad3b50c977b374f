using System.CommandLine;
using ToolN1.Cli;
using ToolN1.Cli.Commands;
using ToolN1.Engine.Hosting;

NativeEnvironment.Prepare();

RootCommand root = new("tooln1: makes, measures and serves tool-calling models. See docs/ for each task.")
{
    ModelCommands.Create(),
    TokenizerCommands.Create(),
    DataCommands.Create(),
    TrainCommands.Create(),
    EvalCommands.Create(),
    ExportCommands.Create(),
    BenchCommands.Create(),
};

// The library's own handling of Ctrl-C ends a command two seconds later, and fails on a second press.
using Interruption interruption = new();
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }, interruption.Token);
