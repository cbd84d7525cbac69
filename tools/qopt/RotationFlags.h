//===- RotationFlags.h - Flags of rotations --------------------------------------------------===//
#ifndef QOPT_TOOLS_QOPT_ROTATIONFLAGS_H
#define QOPT_TOOLS_QOPT_ROTATIONFLAGS_H

#include "qopt/Pipelines/Compiler.h"

#include "llvm/Support/CommandLine.h"

namespace qopt {

struct RotationFlags {
  RotationFlags();

  llvm::cl::opt<std::string> rotate;
  llvm::cl::opt<bool> down;
  llvm::cl::opt<uint64_t> seed;

  /// `algorithm` (--algo, lower case) loses its prefix "rotate+", which asks for all parts.
  /// InvalidArgument for flags that would be ignored.
  qrt::Status read(RotationOptions &options, std::string &algorithm);
};

} // namespace qopt

#endif // QOPT_TOOLS_QOPT_ROTATIONFLAGS_H
