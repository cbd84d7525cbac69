#!/usr/bin/env bash
# Dependencies run downwards only. Checks (1) that the runtime includes and links nothing of the compiler's
# world, (2) that each library includes only headers of the layers below it.
#   check-layers.sh [BUILD_DIR]
set -uo pipefail
cd "$(dirname "$0")/../.."
fail=0
complain() { echo "check-layers: $*" >&2; fail=1; }

# FILES_GLOB_ROOT | forbidden include pattern | why
rule() { # root pattern why
  local hits
  hits=$(grep -rnE --include='*.h' --include='*.cpp' --include='*.cc' --include='*.inc' "#include [<\"]($2)" $1 2>/dev/null)
  [ -z "$hits" ] || complain "$3"$'\n'"$hits"
}
rule python-free-driver 'mlir/|llvm/|google/protobuf|onnx|qopt/' "the runtime must not see the compiler, LLVM, protobuf or ONNX"
rule python-free-driver/lib/Support 'Format/|kernels/|Tensor/|Engine/|Tokenizer/|Template/|Sampling/|Reasoning/|Generation/|Eval/' "Support is the lowest layer"
rule python-free-driver/kernels 'Tensor/|Engine/|Tokenizer/|Template/|Sampling/|Reasoning/|Generation/|Eval/' "kernels see only Support and the format's enums"
rule python-free-driver/lib/Format 'Tensor/|Engine/|Tokenizer/|Template/|Sampling/|Reasoning/|Generation/|Eval/' "Format sees Support and kernels"
rule python-free-driver/lib/Tensor 'Engine/|Tokenizer/|Template/|Sampling/|Reasoning/|Generation/|Eval/' "Tensor sees Support, Format and kernels"
rule "python-free-driver/lib/Device python-free-driver/lib/Cuda" 'Format/|Tensor/|Engine/|Tokenizer/|Template/|Sampling/|Reasoning/|Generation/|Eval/' "devices see Support and kernels"
rule "python-free-driver/lib/[ABD-Z]* python-free-driver/lib/CAPI python-free-driver/qrun python-free-driver/include python-free-driver/kernels/cpu" 'cuda\.h|cuda_|cuda/std|Cuda/' "only lib/Cuda and kernels/cuda see CUDA"
rule python-free-driver/lib/Engine 'Tokenizer/|Template/|Sampling/|Reasoning/|Generation/|Eval/' "Engine knows token ids, not text"
rule "python-free-driver/lib/Tokenizer python-free-driver/lib/Template" 'Engine/|Format/|Tensor/|kernels/|Sampling/|Reasoning/|Generation/|Eval/' "text libraries see only Support"
rule python-free-driver/lib/Sampling 'Engine/|Format/|Tensor/|kernels/|Tokenizer/|Template/|Reasoning/|Generation/|Eval/|qrt/(Engine|Model)' "Sampling sees only Support"
rule python-free-driver/lib/Reasoning 'Engine/|Format/|Tensor/|kernels/|Template/|Generation/|Eval/|qrt/(Engine|Model)' "Reasoning sees Sampling and Tokenizer"
rule python-free-driver/lib/Generation 'qrun/|Tensor/|kernels/|Eval/' "Generation sees Engine, Tokenizer, Template, Sampling and Reasoning"
rule "lib/Quantization include/qopt/Quantization" 'mlir/|llvm/|qopt/(Dialect|Frontend|Interpreter|Pipelines|Conversion|Target)' "Quantization is pure C++ on spans"
rule "lib/Dialect include/qopt/Dialect" 'google/protobuf|qopt/(Frontend|Pipelines|Target|Conversion)' "dialects do not see the frontend or the pipelines"
rule "lib/Interpreter include/qopt/Interpreter" 'google/protobuf|qopt/(Frontend|Pipelines|Target|Conversion)' "the interpreter sees dialects and the tensor library"
rule "lib/Calibration include/qopt/Calibration" 'google/protobuf|qopt/(Frontend|Pipelines|Target|Conversion)|Engine/|Generation/|Reasoning/|Tokenizer/' "calibration sees dialects, the numerics and the kernels"
proto=$(grep -rlE --include='*.h' --include='*.cpp' '#include [<"](google/protobuf|.*onnx.*\.pb\.h)' include lib tools 2>/dev/null | grep -v '^lib/Frontend/ONNX/')
[ -z "$proto" ] || complain "only lib/Frontend/ONNX sees protobuf"$'\n'"$proto"

build=${1:-}
if [ -n "$build" ]; then
  for f in "$build"/bin/qrun "$build"/lib/libqrt.so "$build"/python-free-driver/lib/CAPI/libqrt.so; do
    [ -e "$f" ] || continue
    bad=$(readelf -d "$f" | grep -E 'NEEDED.*(LLVM|MLIR|protobuf|onnx|python|cudart|libcuda)')
    [ -z "$bad" ] || complain "$f links what the runtime must not: $bad"
  done
  [ -e "$build/bin/qrun" ] || complain "$build/bin/qrun is missing"
fi
[ $fail -eq 0 ] && echo "check-layers: ok"
exit $fail
