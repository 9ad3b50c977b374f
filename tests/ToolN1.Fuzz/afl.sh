#!/usr/bin/env bash
# Coverage-guided fuzzing with AFL++: bash tests/ToolN1.Fuzz/afl.sh TARGET [SECONDS]
# Needs afl-fuzz (Debian, Ubuntu: apt-get install afl++). Findings land in artifacts/fuzz/TARGET/findings.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${1:?usage: afl.sh TARGET [SECONDS]} seconds=${2:-3600}
command -v afl-fuzz >/dev/null || { echo "afl-fuzz is not installed: apt-get install afl++"; exit 77; }
work=artifacts/fuzz/$target
mkdir -p "$work"

# 1. The program, and copies of our libraries that report which branches they take.
dotnet build tests/ToolN1.Fuzz -c Release -o "$work/bin" -p:CreateHardLinksForCopyLocalIfPossible=false -p:CreateHardLinksForCopyFilesToOutputDirectoryIfPossible=false
[ -x artifacts/fuzz/tool/sharpfuzz ] || dotnet tool install --tool-path artifacts/fuzz/tool SharpFuzz.CommandLine --version 2.3.0
for library in ToolN1.Engine ToolN1.Api; do artifacts/fuzz/tool/sharpfuzz "$work/bin/$library.dll"; done

# 2. AFL. It cannot know the runtime's own crash handler, nor how long .NET takes to start.
export AFL_SKIP_BIN_CHECK=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=${AFL_NO_UI:-1} AFL_FORKSRV_INIT_TMOUT=60000
timeout --foreground --signal INT "$seconds" afl-fuzz -i "tests/ToolN1.Fuzz/corpus/$target" -o "$work/findings" -t 10000 -m none -- \
  dotnet "$work/bin/ToolN1.Fuzz.dll" "$target" || [ $? -eq 124 ]
echo "Findings: $(find "$work/findings" -path '*/crashes/id*' | wc -l) crashes, $(find "$work/findings" -path '*/hangs/id*' | wc -l) hangs, $(find "$work/findings" -path '*/queue/id*' | wc -l) inputs"
