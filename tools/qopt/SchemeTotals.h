//===- SchemeTotals.h - Stored tensors by scheme, in reports ----------------------------------===//
#ifndef QOPT_TOOLS_QOPT_SCHEMETOTALS_H
#define QOPT_TOOLS_QOPT_SCHEMETOTALS_H

#include "Engine/MemoryNeed.h"
#include "Format/Program.h"
#include "Support/Json.h"

#include "llvm/Support/raw_ostream.h"

#include <map>
#include <string>
#include <vector>

namespace qopt {

/// Tensors of one scheme together.
struct SchemeTotal {
  int64_t tensors = 0, elements = 0, bytes = 0;
  double bitsPerWeight() const { return elements ? 8.0 * double(bytes) / double(elements) : 0; }
};

int64_t elementsOf(const qrt::TensorEntry &tensor);
/// Data, scales and zero points.
int64_t bytesOf(const qrt::TensorEntry &tensor);

/// By scheme; the sum of matrices under "". Vectors do not count as weights.
std::map<std::string, SchemeTotal> schemeTotals(const std::vector<qrt::TensorEntry> &tensors);
void printSchemeTotals(const std::vector<qrt::TensorEntry> &tensors, llvm::raw_ostream &os);
/// What running takes, for --fit.
void printFit(const qrt::MemoryNeed &need, int64_t context, llvm::raw_ostream &os);
qrt::OrderedJson fitJson(const qrt::MemoryNeed &need, int64_t context);
qrt::OrderedJson schemeTotalsJson(const std::vector<qrt::TensorEntry> &tensors);

} // namespace qopt

#endif // QOPT_TOOLS_QOPT_SCHEMETOTALS_H
