//===- SchemeFlags.h - Flags of the weights' schemes -----------------------------------------===//
#ifndef QOPT_TOOLS_QOPT_SCHEMEFLAGS_H
#define QOPT_TOOLS_QOPT_SCHEMEFLAGS_H

#include "RecipeFlags.h"

#include "qopt/Pipelines/Compiler.h"

#include "llvm/Support/CommandLine.h"

#include <deque>
#include <memory>
#include <vector>

namespace qopt {

/// --scheme, its shorthands (--w4a16 ...), what refines it, and schemes of single weights.
struct SchemeFlags {
  SchemeFlags();

  std::deque<std::string> descriptions; ///< of the shorthands: cl::desc does not own its text
  std::vector<std::unique_ptr<llvm::cl::opt<bool>>> presets;
  llvm::cl::opt<std::string> scheme;
  llvm::cl::opt<std::string> groupSize;
  llvm::cl::opt<bool> sym;
  llvm::cl::opt<bool> asym;
  llvm::cl::opt<bool> fallbackGroup;
  llvm::cl::opt<bool> mse;
  llvm::cl::list<std::string> keepFp16;
  llvm::cl::list<std::string> tensorType;
  llvm::cl::list<std::string> ignore;
  llvm::cl::opt<std::string> headType;
  llvm::cl::opt<std::string> embedType;

  void addTo(RecipeFlags &keys);
  /// InvalidArgument for flags that contradict each other or would be ignored.
  qrt::Status read(SchemeOptions &schemes) const;
};

} // namespace qopt

#endif // QOPT_TOOLS_QOPT_SCHEMEFLAGS_H
