# Suite of the text tests: lit + FileCheck. Tools are found in the build's bin directory; a test over
# fixtures outside the tree says `REQUIRES: shared` and finds them as %shared.
# QOPT_VERIFY_ROUNDTRIP=1 in the environment turns every qopt-opt run into a round-trip test.
import glob
import os
import shutil

import lit.formats
from lit.llvm import llvm_config
from lit.llvm.subst import ToolSubst

config.name = "qopt"
config.test_format = lit.formats.ShTest(not llvm_config.use_lit_shell)
config.suffixes = [".mlir", ".test", ".onnxtext"]
config.excludes = ["unit", "e2e", "fuzz", "fixtures", "Inputs", "lit.cfg.py"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.qopt_binary_dir, "test")

llvm_config.with_system_environment(["HOME", "TMP", "TEMP", "QRT_ISA"])
llvm_config.use_default_substitutions()
config.substitutions.append(("%shared", config.qopt_shared))
config.substitutions.append(("%fixtures", os.path.join(config.test_source_root, "fixtures")))
config.substitutions.append(("%source_root", config.qopt_source_dir))
config.substitutions.append(("%binary_root", config.qopt_binary_dir))
config.substitutions.append(("%plugins", os.path.join(config.qopt_binary_dir, "plugins")))
config.substitutions.append(("%python", config.python_executable))

if os.path.isdir(os.path.join(config.qopt_shared, "models")):
    config.available_features.add("shared")

# Compiler output of the CUDA kernels (test/Cuda): what is missing is skipped by name.
# The disassemblers may be those of `tools/dev/bootstrap.sh cuda`, where tools/dev/cuda-roofline finds them too.
cuda_path = [os.environ.get("PATH", ""), "/usr/local/cuda/bin"]
cuda_path += glob.glob(os.path.join(config.qopt_source_dir, "build/cuda-tools/lib/python3*/site-packages/nvidia/*/bin"))
llvm_config.with_environment("PATH", cuda_path[1:], append_path=True)
if os.path.exists(os.path.join(config.qopt_binary_dir, "bin", "libqrt_cuda.so")):
    config.available_features.add("cuda-library")
if os.path.exists(os.path.join(config.qopt_binary_dir, "unittests", "libqrt_emulated_device.so")):
    config.available_features.add("emulated-device")
if shutil.which("nvcc", path=os.pathsep.join(cuda_path)):
    config.available_features.add("nvcc")
if all(shutil.which(tool, path=os.pathsep.join(cuda_path)) for tool in ("cuobjdump", "nvdisasm")):
    config.available_features.add("cuobjdump")

opt_args = ["--verify-roundtrip"] if os.environ.get("QOPT_VERIFY_ROUNDTRIP") else []
tools = [
    ToolSubst("qopt-opt", extra_args=opt_args),
    "qopt-translate",
    "qopt-reduce",
    ToolSubst("qopt", unresolved="ignore"),
    ToolSubst("qrun", unresolved="ignore"),
]
llvm_config.add_tool_substitutions(tools, [config.qopt_tools_dir, config.llvm_tools_dir])
llvm_config.with_environment("PATH", [config.qopt_tools_dir, config.llvm_tools_dir], append_path=True)
