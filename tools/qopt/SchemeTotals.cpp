//===- SchemeTotals.cpp - Stored tensors by scheme, in reports -------------------------------===//
#include "SchemeTotals.h"

#include "Support/Memory.h"

#include "llvm/Support/Format.h"

using namespace llvm;

namespace qopt {

int64_t elementsOf(const qrt::TensorEntry &tensor) {
  int64_t count = 1;
  for (int64_t dim : tensor.shape)
    count *= dim;
  return count;
}

int64_t bytesOf(const qrt::TensorEntry &tensor) {
  return static_cast<int64_t>(tensor.dataBytes + tensor.scalesBytes + tensor.zeroPointsBytes);
}

std::map<std::string, SchemeTotal> schemeTotals(const std::vector<qrt::TensorEntry> &tensors) {
  std::map<std::string, SchemeTotal> result;
  for (const qrt::TensorEntry &tensor : tensors) {
    std::string scheme =
        tensor.packed ? tensor.scheme : "vectors and constants (" + tensor.scheme + ")";
    for (const std::string &key : {scheme, std::string()}) {
      if (key.empty() && !tensor.packed)
        continue;
      SchemeTotal &total = result[key];
      ++total.tensors;
      total.elements += elementsOf(tensor);
      total.bytes += bytesOf(tensor);
    }
  }
  return result;
}

void printSchemeTotals(const std::vector<qrt::TensorEntry> &tensors, raw_ostream &os) {
  for (const auto &[scheme, total] : schemeTotals(tensors))
    os << "  " << left_justify(scheme.empty() ? "all weights" : scheme, 32)
       << format("%6lld tensors  %7.3f bits per weight  ", (long long)total.tensors,
                 total.bitsPerWeight())
       << qrt::formatBytes(total.bytes) << "\n";
}

qrt::OrderedJson schemeTotalsJson(const std::vector<qrt::TensorEntry> &tensors) {
  qrt::OrderedJson schemes = qrt::OrderedJson::array();
  for (const auto &[scheme, total] : schemeTotals(tensors))
    schemes.push_back({{"scheme", scheme.empty() ? "all weights" : scheme},
                       {"tensors", total.tensors},
                       {"bits_per_weight", total.bitsPerWeight()},
                       {"bytes", total.bytes}});
  return schemes;
}

void printFit(const qrt::MemoryNeed &need, int64_t context, raw_ostream &os) {
  os << "  running one sequence of " << context << " tokens takes "
     << qrt::formatBytes(need.total()) << ": file " << qrt::formatBytes(need.weights)
     << ", KV cache " << qrt::formatBytes(need.kv) << ", activations "
     << qrt::formatBytes(need.activations) << "\n";
}

qrt::OrderedJson fitJson(const qrt::MemoryNeed &need, int64_t context) {
  return {{"context", context},
          {"total_bytes", need.total()},
          {"weight_bytes", need.weights},
          {"kv_bytes", need.kv},
          {"activation_bytes", need.activations}};
}

} // namespace qopt
