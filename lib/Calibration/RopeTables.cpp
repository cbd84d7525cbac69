//===- RopeTables.cpp - Cosines and sines of a chunk -----------------------------------------===//
#include "RopeTables.h"

#include <algorithm>
#include <cstring>

namespace qopt::calibration {

const RopeTables::Table &RopeTables::get(qrt::kernels::ThreadPool &pool,
                                         const std::vector<float> &frequencies, float scaling) {
  Entry &entry = entries[{frequencies, scaling}];
  if (entry.chunk == chunk)
    return entry.table;
  entry.chunk = chunk;
  const auto half = static_cast<int64_t>(frequencies.size());
  int64_t needed = 0;
  for (int32_t position : positions)
    needed = std::max<int64_t>(needed, position + 1);
  if (needed > entry.known) {
    std::vector<int32_t> all(needed);
    for (int64_t i = 0; i < needed; ++i)
      all[i] = static_cast<int32_t>(i);
    entry.allCos.resize(needed * half);
    entry.allSin.resize(needed * half);
    qrt::kernels::ropeTable(pool, all.data(), needed, frequencies.data(), half, scaling,
                            entry.allCos.data(), entry.allSin.data());
    entry.known = needed;
  }
  entry.table.cos.resize(positions.size() * half);
  entry.table.sin.resize(positions.size() * half);
  for (size_t t = 0; t < positions.size(); ++t) {
    const int64_t from = positions[t] * half, to = static_cast<int64_t>(t) * half;
    std::copy_n(entry.allCos.data() + from, half, entry.table.cos.data() + to);
    std::copy_n(entry.allSin.data() + from, half, entry.table.sin.data() + to);
  }
  return entry.table;
}

} // namespace qopt::calibration
