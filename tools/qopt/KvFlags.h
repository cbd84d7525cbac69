//===- KvFlags.h - Flags of the KV cache -----------------------------------------------------===//
#ifndef QOPT_TOOLS_QOPT_KVFLAGS_H
#define QOPT_TOOLS_QOPT_KVFLAGS_H

#include "RecipeFlags.h"

#include "qopt/Pipelines/Compiler.h"

#include "llvm/Support/CommandLine.h"

namespace qopt {

/// How the runtime stores keys and values.
struct KvFlags {
  KvFlags();

  llvm::cl::opt<bool> kv8;
  llvm::cl::opt<bool> kv4;
  llvm::cl::opt<std::string> kvType;
  llvm::cl::opt<int64_t> kvSink;
  llvm::cl::opt<int64_t> kvWindow;

  void addTo(RecipeFlags &keys);
  /// `emits`: --emit is given, on which none of them has an effect. InvalidArgument for flags that
  /// contradict each other or would be ignored.
  qrt::Status read(qrt::KvSpec &kv, bool emits) const;
};

} // namespace qopt

#endif // QOPT_TOOLS_QOPT_KVFLAGS_H
