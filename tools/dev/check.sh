#!/usr/bin/env bash
# Installs what is missing, builds everything and runs every test; the last lines are ctest's summary.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools/dev/bootstrap.sh
# Where the kernels are compiled, their code is read too; without PyPI those two tests are skipped by name.
if command -v nvcc >/dev/null || [ -x /usr/local/cuda/bin/nvcc ]; then
  tools/dev/bootstrap.sh cuda || echo "check: no cuobjdump: test/Cuda/sass.test and wgmma.test will be skipped" >&2
fi
cmake --preset release -DQOPT_BUILD_TESTS=ON >/dev/null
cmake --build build/release
cmake --build build/release --target mlir-doc
exec ctest --test-dir build/release --output-on-failure -j "$(nproc)"
