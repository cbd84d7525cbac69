#!/usr/bin/env bash
# Everything about CUDA that needs a device, in one run: build, tests, sanitizer, the same text and the same quantization on
# CPU and device, benchmarks, and a report that sets them beside the floors.
#   cuda-check.sh [OUT_DIR]        default: build/cuda-check; OUT_DIR/results.md is the report, logs stay beside it
#   CUDA_CHECK_BUILD=0             use the build in CUDA_CHECK_BUILD_DIR (build/cuda) as it is
#   CUDA_CHECK_LIBRARY=FILE        another library than that build's: with the emulated one this is a dry run of the script,
#                                  which measures nothing and leaves out what only a device can do
#   CUDA_CHECK_MODELS="A.qmod ..." further models to compare and to measure
# Exit code 0: every step passed and every goal was reached. 1: not. 13: there is no usable device.
set -uo pipefail
cd "$(dirname "$0")/../.."
out=${1:-build/cuda-check}
build=${CUDA_CHECK_BUILD_DIR:-build/cuda}
mkdir -p "$out"
failed=()
rows=()
step() { # NAME COMMAND...
  local name=$1 begin=$SECONDS verdict=ok
  shift
  "$@" > "$out/$name.log" 2>&1 || verdict=FAILED
  [ $verdict = ok ] || failed+=("$name")
  echo "cuda-check: $verdict  $name ($((SECONDS - begin)) s)$([ $verdict = ok ] || echo ", see $out/$name.log")"
  rows+=("| $name | $verdict | $((SECONDS - begin)) |")
}

if [ "${CUDA_CHECK_BUILD:-1}" = 1 ]; then
  { cmake --preset cuda -DQOPT_BUILD_TESTS=ON && cmake --build "$build" && cmake --build "$build" --target qrt_cuda_bench; } \
    > "$out/build.log" 2>&1 || { echo "cuda-check: the build failed, see $out/build.log" >&2; exit 1; }
fi
qrun=$build/bin/qrun
library=${CUDA_CHECK_LIBRARY:-$PWD/$build/bin/libqrt_cuda.so}
export QRT_CUDA_LIBRARY=$library
"$qrun" devices | tee "$out/devices.txt"
"$qrun" devices --json > "$out/devices.json"
grep -q '"usable": true' "$out/devices.json" || { echo "cuda-check: no usable device" >&2; exit 13; }
emulated=$(grep -c '"architectures": "emulated"' "$out/devices.json")
bench=$(find "$build" -name qrt_cuda_bench -type f | head -1)

# Tests of the engine on the device instead of the emulator; also with the kernels of older architectures.
engine() { env QRT_TEST_CUDA_LIBRARY="$library" "$@" "$build/unittests/CudaEngineTests"; }
step engine engine
if [ "$emulated" = 0 ]; then
  for arch in 80 89; do step "engine-sm_$arch" engine QRT_CUDA_ARCH=$arch; done
  step engine-without-overlap engine QRT_CUDA_PDL=0
fi
step decisions env QRT_TEST_CUDA_LIBRARY="$library" "$build/unittests/GenerationTests" --gtest_filter='AheadRun.*'
step qrun env QRT_TEST_CUDA_LIBRARY="$library" "$build/unittests/EmulatedQrunTests"
if [ "$emulated" = 0 ] && command -v compute-sanitizer > /dev/null; then
  for tool in memcheck racecheck initcheck synccheck; do
    step "sanitizer-$tool" env QRT_TEST_CUDA_LIBRARY="$library" compute-sanitizer --tool $tool --error-exitcode 1 \
      "$build/unittests/CudaEngineTests" --gtest_filter='*Reference*:*SecondWeightSet*'
  done
fi

# A trained model, compiled as users do: the same text on both, with and without controls; stored fragments; calibration.
reasoner=${CUDA_CHECK_REASONER:-examples/reasoner/model.onnx}
models=(${CUDA_CHECK_MODELS:-})
if [ -x "$build/bin/qopt" ] && [ -e "$reasoner" ]; then
  for scheme in f16 w8a16 w4a16 w8a8 w4a8; do
    step "compile-$scheme" "$build/bin/qopt" "$reasoner" --$scheme -o "$out/reasoner-$scheme.qmod"
    models+=("$out/reasoner-$scheme.qmod")
  done
  step compile-fragments "$build/bin/qopt" "$reasoner" --w4a16 --target cuda -o "$out/reasoner-w4a16-fragments.qmod"
  same_fragments() {
    for kind in w4a16 w4a16-fragments; do
      "$qrun" complete "$out/reasoner-$kind.qmod" -p 'Tom has 24 apples.' -n 64 --temp 0 --device cuda > "$out/$kind.txt" || return 1
    done
    cmp "$out/w4a16.txt" "$out/w4a16-fragments.txt"
  }
  step text-fragments same_fragments
fi
same_text() { # MODEL [FLAGS]
  local tokens=128
  [ "$emulated" = 0 ] || tokens=8
  for device in cpu cuda; do
    : > "$out/$device.txt"
    for flags in '--temp 0' '--temp 0.7 --top-p 0.9 --seed 1 --marker-penalty 1' '--temp 0.7 --seed 2 --loop rollback --think-budget 60'; do
      "$qrun" complete "$1" -p 'Tom has 24 apples.' -n $tokens $flags ${2:-} --device $device >> "$out/$device.txt" || return 1
    done
  done
  diff "$out/cpu.txt" "$out/cuda.txt"
}
for model in "${models[@]}"; do step "text-$(basename "$model" .qmod)" same_text "$model"; done
# Codes, and precise tokens beside those of 4 bits.
if [ -e "$out/reasoner-f16.qmod" ]; then
  for kv in int8 int4 k=int8,v=int4 k=f16,v=int4; do step "text-kv-$kv" same_text "$out/reasoner-f16.qmod" "--kv-type $kv"; done
fi

# Speed. The emulator runs the same commands with the smallest sizes.
report=()
products=()
others=() # the same with kernels left out or changed, to compare
productsOld=(--shapes 28672x4096,4096x14336,4096x4096 --formats w4,w3,w2 --rows 9,16)
products8=(--shapes 28672x4096,4096x14336 --formats w8,w4,w3,w2 --rows 1,8,16,64,512,2048)
checks=()
shapes=()
# What a model is loaded with: the reasoner holds 1024 tokens.
loads=(--context 128,512 --batch 1,8,32 --prefill 128,512)
if [ "$emulated" != 0 ]; then
  products=(--shapes 48x64 --formats w4 --rows 1,40 --samples 2 --copy-mib 1)
  products8=("${products[@]}")
  productsOld=("${products[@]}")
  checks=(--shapes 24x100 --rows 2,20)
  loads=(--context 4 --batch 1 --prefill 4 --steps 2 --rounds 1 --prompt 2)
else # the shapes that the goals are about
  for shape in qwen2.5-0.5b llama-3.1-8b; do
    step "compile-$shape" "$build/bin/qopt" --synthetic $shape --w4a16 -o "$out/$shape.qmod"
    [ ! -s "$out/$shape.qmod" ] || shapes+=("$out/$shape.qmod")
  done
fi
if [ -n "$bench" ]; then
  step products-right "$bench" --check "${checks[@]}"
  step products sh -c '"$@" > "$0"' "$out/products.json" "$bench" "${products[@]}"
  step products-without-resident env QRT_CUDA_RESIDENT=0 sh -c '"$@" > "$0"' "$out/products-without-resident.json" "$bench" "${productsOld[@]}"
  [ ! -s "$out/products-without-resident.json" ] || others+=("$out/products-without-resident.json")
  step products-a8 sh -c '"$@" > "$0"' "$out/products-a8.json" "$bench" --types a8 "${products8[@]}"
  measured=()
  for file in "$out/products.json" "$out/products-a8.json"; do
    [ ! -s "$file" ] || measured+=("$file")
  done
  [ ${#measured[@]} -eq 0 ] || report+=(--products "${measured[@]}")
fi
benches=()
for model in "${models[@]}" "${shapes[@]}"; do
  name=$(basename "$model" .qmod)
  [[ $name == reasoner* || $emulated != 0 ]] || loads=(--context 128,1024,8192 --batch 1,8,16,32 --prefill 512,2048)
  step "bench-$name" sh -c '"$@" > "$0"' "$out/bench-$name.json" "$qrun" bench "$model" --device cuda "${loads[@]}" -q --json
  [ ! -s "$out/bench-$name.json" ] || benches+=("$out/bench-$name.json")
done
# Two blocks on a multiprocessor, of kernels that follow one another.
for model in "${shapes[@]}"; do
  name=$(basename "$model" .qmod)-8-warps
  step "bench-$name" env QRT_CUDA_STREAM_WARPS=8 sh -c '"$@" > "$0"' "$out/bench-$name.json" "$qrun" bench "$model" --device cuda --context 128 --batch 1,8 --prefill 0 -q --json
  [ ! -s "$out/bench-$name.json" ] || others+=("$out/bench-$name.json")
done
[ ${#benches[@]} -eq 0 ] || report+=(--bench "${benches[@]}")
[ ${#others[@]} -eq 0 ] || report+=(--others "${others[@]}")

{
  echo "Device: $(head -2 "$out/devices.txt" | tail -1). Commit $(git rev-parse --short HEAD 2> /dev/null || echo unknown), $(date -u +%F)."
  printf '\n| step | result | s |\n|---|---|---|\n'
  printf '%s\n' "${rows[@]}"
} > "$out/results.md"
if [ ${#report[@]} -gt 0 ]; then
  python3 tools/dev/cuda_report.py "${report[@]}" >> "$out/results.md" || failed+=(goals)
fi
echo "cuda-check: the report is $out/results.md"
if [ ${#failed[@]} -gt 0 ]; then
  echo "cuda-check: ${#failed[@]} failed: ${failed[*]}"
  exit 1
fi
echo "cuda-check: everything passed"
