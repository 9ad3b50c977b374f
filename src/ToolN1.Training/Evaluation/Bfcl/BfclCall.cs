using ToolN1.Training.Evaluation.Python;

namespace ToolN1.Training.Evaluation.Bfcl;

/// <summary>A call that the model wrote. The name may be any JSON scalar; the arguments are an object after decoding.</summary>
internal readonly record struct BfclCall(PyValue Name, PyDict Arguments);
