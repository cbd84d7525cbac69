//===- FeatureMap.cpp - Selections and products of feature maps -------------------------------===//
#include "FeatureMap.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>

namespace qopt::qir::raise {

bool FeatureMap::dependsOnPosition() const {
  return llvm::any_of(rows, [](const Row &row) {
    return llvm::any_of(row, [](const Term &term) { return term.table >= 0; });
  });
}

std::optional<std::vector<int64_t>> FeatureMap::selection(double &factor) const {
  std::vector<int64_t> sources;
  for (const Row &row : rows) {
    if (row.size() != 1 || row[0].table >= 0)
      return std::nullopt;
    if (sources.empty())
      factor = row[0].factor;
    if (row[0].factor != factor)
      return std::nullopt;
    sources.push_back(row[0].source);
  }
  return sources;
}

int32_t Tables::add(std::vector<float> value, double rounding) {
  values.push_back(std::move(value));
  tolerance.push_back(rounding);
  return static_cast<int32_t>(values.size()) - 1;
}

int32_t Tables::product(int32_t a, int32_t b) {
  if (a < 0 || b < 0)
    return std::max(a, b);
  std::vector<float> value(values[a].size());
  for (size_t i = 0; i < value.size(); ++i)
    value[i] = values[a][i] * values[b][i];
  return add(std::move(value), tolerance[a] + tolerance[b]);
}

} // namespace qopt::qir::raise
