#!/usr/bin/env bash
# Installs what is missing, builds everything and runs every test; the last lines are ctest's summary.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools/dev/bootstrap.sh
cmake --preset release -DQOPT_BUILD_TESTS=ON >/dev/null
cmake --build build/release
cmake --build build/release --target mlir-doc
exec ctest --test-dir build/release --output-on-failure -j "$(nproc)"
