#!/usr/bin/env bash
# Everything about CUDA that needs a device: tests, sanitizer, the same text on CPU and device, figures of qrun bench.
#   cuda-check.sh [OUT_DIR]        default: build/cuda-check; a summary is printed, logs stay there
#   CUDA_CHECK_BUILD=0             use build/cuda as it is (built elsewhere for the same distribution)
#   CUDA_CHECK_MODELS="A.qmod ..." further models to compare and to measure
# Exit code 0: every step passed. 13: there is no usable device.
set -uo pipefail
cd "$(dirname "$0")/../.."
out=${1:-build/cuda-check}
build=build/cuda
mkdir -p "$out"
failed=()
step() { # NAME COMMAND...
  local name=$1 begin=$SECONDS
  shift
  if "$@" > "$out/$name.log" 2>&1; then
    echo "cuda-check: ok      $name ($((SECONDS - begin)) s)"
  else
    echo "cuda-check: FAILED  $name ($((SECONDS - begin)) s), see $out/$name.log"
    failed+=("$name")
  fi
}

if [ "${CUDA_CHECK_BUILD:-1}" = 1 ]; then
  cmake --preset cuda -DQOPT_BUILD_TESTS=ON > "$out/configure.log" 2>&1 && cmake --build "$build" > "$out/build.log" 2>&1 ||
    { echo "cuda-check: the build failed, see $out" >&2; exit 1; }
fi
qrun=$build/bin/qrun
"$qrun" devices | tee "$out/devices.txt"
"$qrun" devices --json > "$out/devices.json"
if ! grep -q '"usable": true' "$out/devices.json"; then
  echo "cuda-check: no usable device" >&2
  exit 13
fi
library=$PWD/$build/bin/libqrt_cuda.so

# The engine's tests on the device instead of the emulator; also with the kernels of older architectures.
step engine env QRT_TEST_CUDA_LIBRARY="$library" "$build/unittests/CudaEngineTests"
for arch in 80 89; do
  step "engine-sm_$arch" env QRT_CUDA_ARCH=$arch QRT_TEST_CUDA_LIBRARY="$library" "$build/unittests/CudaEngineTests"
done
step qrun env QRT_TEST_CUDA_LIBRARY="$library" "$build/unittests/EmulatedQrunTests"
if command -v compute-sanitizer > /dev/null; then
  for tool in memcheck racecheck initcheck synccheck; do
    step "sanitizer-$tool" env QRT_TEST_CUDA_LIBRARY="$library" compute-sanitizer --tool $tool --error-exitcode 1 \
      "$build/unittests/CudaEngineTests" --gtest_filter='*Reference*'
  done
fi

# A trained model, compiled as users do: the same greedy text on both.
models=(${CUDA_CHECK_MODELS:-})
if [ -x "$build/bin/qopt" ]; then
  for scheme in f16 w8a16 w4a16; do
    step "compile-$scheme" "$build/bin/qopt" examples/reasoner/model.onnx --$scheme -o "$out/reasoner-$scheme.qmod"
    models+=("$out/reasoner-$scheme.qmod")
  done
fi
same_text() { # MODEL
  for device in cpu cuda; do
    "$qrun" complete "$1" -p 'Tom has 24 apples.' -n 128 --temp 0 --device $device > "$out/$device.txt" || return 1
    "$qrun" complete "$1" -p 'Tom has 24 apples.' -n 128 --temp 0.7 --top-p 0.9 --seed 1 --marker-penalty 1 --device $device \
      >> "$out/$device.txt" || return 1
  done
  diff "$out/cpu.txt" "$out/cuda.txt"
}
for model in "${models[@]}"; do
  name=$(basename "$model" .qmod)
  step "text-$name" same_text "$model"
  step "bench-$name" "$qrun" bench "$model" --device cuda --kv-type f16 --context 128,2048 --batch 1,8,32 --prefill 128,512 -q --json
  [ ! -s "$out/bench-$name.log" ] || grep -E '"(tokens_per_second|context|batch|tokens)"' "$out/bench-$name.log" | paste - - - - 2> /dev/null
done

if [ ${#failed[@]} -gt 0 ]; then
  echo "cuda-check: ${#failed[@]} failed: ${failed[*]}"
  exit 1
fi
echo "cuda-check: everything passed"
