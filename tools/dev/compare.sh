#!/usr/bin/env bash
# Speed of qopt beside llama.cpp, ONNX Runtime and OpenVINO on one shape, rounds interleaved in one run; writes
# a table in Markdown. The peers come from the Python registry; one that cannot be installed is listed as such.
#   compare.sh [--venv DIR] [--build DIR] [--out FILE] [--shape NAME] [--threads N] [--rounds N] [--peers LIST] ...
# DIR of --venv is kept and used again; without it everything is installed into a temporary folder. Further
# arguments go to compare.py (--help lists them). llama.cpp is compiled here, for this processor, which takes
# minutes; with --prebuilt, or where that fails, it is a wheel that was built for AVX2.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
venv= build=$here/../../build/release peers=llama,onnxruntime,openvino prebuilt= args=()
while [ $# -gt 0 ]; do
  case $1 in
    --venv) venv=$2; shift 2 ;;
    --build) build=$2; shift 2 ;;
    --peers) peers=$2; shift 2 ;;
    --prebuilt) prebuilt=1; shift ;;
    *) args+=("$1"); shift ;;
  esac
done
for f in bin/qopt lib/libqrt.so; do
  [ -e "$build/$f" ] || { echo "compare: $build/$f is missing; build it (cmake --build $build), or give --build DIR" >&2; exit 1; }
done
if [ -z "$venv" ]; then
  venv=$(mktemp -d)
  trap 'rm -rf "$venv"' EXIT
fi
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"

has() { "$venv/bin/python" -c "import $1" 2>/dev/null; }
install() { # module packages...: what fails is reported by compare.py, which finds the log
  has "$1" || nice "$venv/bin/pip" --quiet --disable-pip-version-check install "${@:2}" >"$venv/$1.log" 2>&1 ||
    echo "compare: $1 could not be installed, see the table" >&2
}
install numpy numpy
case ,$peers, in *,llama,*)
  install gguf gguf
  [ -n "$prebuilt" ] || CMAKE_ARGS="-DGGML_NATIVE=ON -DLLAMA_CURL=OFF ${CMAKE_ARGS:-}" install llama_cpp llama-cpp-python
  has llama_cpp || install cyllama cyllama
esac
case ,$peers, in *,onnxruntime,*) install onnx onnx; install onnxruntime onnxruntime ;; esac
case ,$peers, in *,openvino,*) install openvino openvino ;; esac
"$venv/bin/python" "$here/compare.py" --build "$build" --peers "$peers" --logs "$venv" "${args[@]}"
