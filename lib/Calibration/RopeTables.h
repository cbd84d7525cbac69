//===- RopeTables.h - Cosines and sines of a chunk -------------------------------------------===//
// Layers share a few tables, and chunks share positions: cosines are computed once per position and
// set of frequencies, then copied row by row for the positions of a chunk.
#ifndef QOPT_LIB_CALIBRATION_ROPETABLES_H
#define QOPT_LIB_CALIBRATION_ROPETABLES_H

#include "kernels/cpu/rope/rope.h"

#include <map>
#include <span>
#include <vector>

namespace qopt::calibration {

class RopeTables {
public:
  struct Table {
    std::vector<float> cos, sin; ///< [tokens, half] of the chunk
  };

  /// A new chunk: tables made before are filled again when they are asked for.
  void setPositions(std::span<const int32_t> chunkPositions) {
    positions.assign(chunkPositions.begin(), chunkPositions.end());
    ++chunk;
  }

  const Table &get(qrt::kernels::ThreadPool &pool, const std::vector<float> &frequencies,
                   float scaling);

private:
  struct Entry {
    int64_t chunk = 0, known = 0; ///< positions of `all`
    std::vector<float> allCos, allSin;
    Table table;
  };
  std::vector<int32_t> positions;
  int64_t chunk = 0;
  std::map<std::pair<std::vector<float>, float>, Entry> entries;
};

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_ROPETABLES_H
