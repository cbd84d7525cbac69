#!/usr/bin/env bash
# From a fresh clone to a thinking model: installs what is missing, builds, compiles examples/reasoner
# to W4A16 and asks it a question. The thinking and the answer stream to the terminal.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools/dev/bootstrap.sh runtime compiler
cmake --preset release -DQOPT_BUILD_TESTS=OFF >/dev/null
cmake --build build/release --target qopt qrun
export PATH="$PWD/build/release/bin:$PATH"
model=build/release/reasoner-w4a16.qmod
set -x
qopt examples/reasoner/model.onnx --w4a16 -o "$model"
qrun chat "$model" -p "Tom has 24 apples. Then Tom buys 7 boxes of 13 apples. Then Tom gives away 38 apples. How many apples does Tom have now?"
